"""`digits run`. Nothing is imported here: `digits --help` reads `profiles` alone."""
