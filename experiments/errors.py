"""The errors a user can act on: their text is one line that says what is wrong and what to do."""

import difflib
from collections.abc import Iterable


class DigitsError(Exception):
    """Something outside the program is not as it must be; the command line exits with 1."""


class UsageError(DigitsError):
    """What the user asked for makes no sense as written; the command line exits with 2."""


def unknown(kind: str, name: str, known: Iterable[str], others: Iterable[str] = ()) -> UsageError:
    """Return the error that there is no `kind` called `name`; its text suggests the nearest and lists the known ones.

    Parameters
    ----------
    others
        Names that may be meant too, but would make the list too long.
    """
    known = tuple(known)
    hint = did_you_mean(name, (*known, *others))
    return UsageError(f"there is no {kind} {name!r}{hint}; the {kind}s are {', '.join(known)}")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` (did you mean NEAREST?)``, or nothing where no known name is near."""
    near = difflib.get_close_matches(name.lower(), tuple(known), n=1, cutoff=0.5)
    return f" (did you mean {near[0]}?)" if near else ""


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, or its kind where it has none."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__
