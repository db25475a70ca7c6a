"""The command line `digits`: one module a command, each parses, calls a workflow and prints."""
