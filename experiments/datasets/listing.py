"""The table of named data sets: what they are, and whether they are on this machine."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from experiments.datasets.local import locate, read_verified
from experiments.datasets.sources import SOURCES, Source
from experiments.errors import DigitsError

State = Literal["verified", "bundled", "missing", "corrupt"]


@dataclass(frozen=True)
class Listing:
    """One data set in the table.

    Attributes
    ----------
    sizes
        Digits for training and for testing.
    shape
        Height and width as published.
    found
        The folder that holds its files; None when there is none or it comes with scikit-learn.
    state
        ``verified``: all files have the published content; ``corrupt``: one has not, and `load` will say
        which; ``missing``: `load` will download it; ``bundled``: comes with scikit-learn.
    """

    name: str
    description: str
    sizes: tuple[int, int]
    shape: tuple[int, int]
    homepage: str
    found: Path | None
    state: State


def catalog(data_dir: Path | None = None) -> tuple[Listing, ...]:
    """Return all named data sets, looked up as `load` does: files are verified, nothing is fetched."""
    return tuple(_listing(source, data_dir) for source in SOURCES.values())


def _listing(source: Source, data_dir: Path | None) -> Listing:
    found, state = _look_up(source, data_dir)
    return Listing(source.name, source.description, source.sizes, source.shape, source.homepage, found, state)


def _look_up(source: Source, data_dir: Path | None) -> tuple[Path | None, State]:
    if not source.editions:
        return None, "bundled"
    found = locate(source, data_dir)
    if found is None:
        return None, "missing"
    folder, edition = found
    try:
        read_verified(folder, edition)
    except DigitsError:
        return folder, "corrupt"
    return folder, "verified"
