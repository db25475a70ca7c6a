"""Listing of picture files: in files, folders and patterns, always in the same order, however many there are."""

import heapq
import os
import re
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from experiments.errors import UsageError
from experiments.pictures.reading import SUFFIXES

WINDOW = 100_000  # names of a folder that are in memory at a time
STANDARD_INPUT = "-"
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
MAGIC = re.compile(r"[*?[]")
ANY_DEPTH = "**"


def check_sources(sources: Sequence[str]) -> None:
    """Check what pictures are asked for, without listing them all.

    Raises
    ------
    UsageError
        If there are none: no source, a folder without pictures, a pattern that nothing matches, a web address, or
        the standard input twice.
    """
    if not sources:
        raise UsageError("name at least one picture, folder or pattern, or - for the standard input")
    if sources.count(STANDARD_INPUT) > 1:
        raise UsageError("- can be named once: there is one standard input")
    for source in sources:
        if ADDRESS.match(source):
            raise UsageError(
                f"{source} is a web address: download it first, for instance curl -L {source} | digits predict -"
            )
        if Path(source).is_dir() and not any(_pictures_below(source)):
            raise UsageError(f"{source} holds no pictures ({', '.join(SUFFIXES)})")
        if _is_pattern(source) and next(_matches(source), None) is None:
            raise UsageError(f"no pictures ({', '.join(SUFFIXES)}) match {source}")


def list_pictures(sources: Sequence[str]) -> Iterator[str]:
    """Yield the path of each picture, source by source.

    A folder yields all picture files below it, sorted by name; files and folders whose names begin with a dot are left
    out. A pattern (``*``, ``?``, ``[...]``, ``**`` for any folders) yields the picture files that match, sorted.
    Anything else, a file that does not exist too, is yielded as it is, as is a folder that cannot be listed. Of each
    folder at most `WINDOW` names are in memory.
    """
    for source in sources:
        if Path(source).is_dir():
            yield from _walk(source)
        elif _is_pattern(source):
            yield from _matches(source)
        else:
            yield source


def count_pictures(sources: Sequence[str]) -> int:
    """Return how many paths `list_pictures` yields; sooner than that does, because it does not sort folders."""
    return sum(
        sum(_pictures_below(source)) if Path(source).is_dir() else sum(1 for _ in list_pictures([source]))
        for source in sources
    )


def _is_pattern(source: str) -> bool:
    return bool(MAGIC.search(source)) and not os.path.lexists(source)


def _is_picture(entry: "os.DirEntry[str]") -> bool:
    return entry.name.lower().endswith(SUFFIXES) and entry.is_file()


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    return entry.is_dir(follow_symlinks=False)  # a link may lead in a circle


def _pictures_below(folder: str) -> Iterator[bool]:
    """Yield True for each picture below a folder, in any order; for a folder that cannot be listed too."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if _is_picture(entry):
                    yield True
                elif _is_folder(entry):
                    yield from _pictures_below(entry.path)
    except OSError:
        yield True


def _walk(folder: str) -> Iterator[str]:
    """Yield the pictures below a folder in order, and the path of each folder that cannot be listed."""
    try:
        for path, is_folder in _sorted(folder, lambda entry: _is_picture(entry) or _is_folder(entry)):
            yield from _walk(path) if is_folder else [path]
    except OSError:
        yield folder


def _matches(pattern: str) -> Iterator[str]:
    """Yield the picture files that a pattern matches, in order."""
    first, *rest = Path(pattern).parts
    start = first if first == os.sep else ""
    return _expand(start, rest if start else [first, *rest])


def _expand(folder: str, parts: Sequence[str]) -> Iterator[str]:
    """Yield the picture files in a folder that match the rest of a pattern."""
    if not parts:
        if folder.lower().endswith(SUFFIXES) and Path(folder).is_file():
            yield folder
        return
    first, rest = parts[0], parts[1:]
    if not MAGIC.search(first):
        yield from _expand(str(Path(folder, first)), rest)
        return
    try:
        if first == ANY_DEPTH:
            yield from _expand(folder, rest or ["*"])
        wanted = _is_folder if first == ANY_DEPTH else lambda entry: fnmatchcase(entry.name, first)
        for path, _ in _sorted(folder or os.curdir, wanted):
            yield from _expand(path, parts if first == ANY_DEPTH else rest)
    except OSError:  # it is no folder, or cannot be listed
        return


def _sorted(folder: str, wanted: "Callable[[os.DirEntry[str]], bool]") -> Iterator[tuple[str, bool]]:
    """Yield the path of each wanted entry of a folder in the order of names, and whether it is a folder."""
    last = ""
    while True:
        with os.scandir(folder) as entries:
            found = (
                (entry.name, entry.path, _is_folder(entry))
                for entry in entries
                if entry.name > last and not entry.name.startswith(".") and wanted(entry)
            )
            window = heapq.nsmallest(WINDOW, found)
        for _, path, is_folder in window:
            yield os.path.normpath(path), is_folder
        if len(window) < WINDOW:
            return
        last = window[-1][0]
