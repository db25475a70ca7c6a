"""The errors a user can act on: their text is one line that says what is wrong and what to do."""


class DigitsError(Exception):
    """Something outside the program is not as it must be; the command line exits with 1."""


class UsageError(DigitsError):
    """What the user asked for makes no sense as written; the command line exits with 2."""
