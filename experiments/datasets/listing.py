"""Table of the published datasets and their state on this machine."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from experiments.datasets.local import locate, read_verified
from experiments.datasets.published import PUBLISHED
from experiments.datasets.published.published_dataset import PublishedDataset
from experiments.errors import DigitsError

FileState = Literal["verified", "bundled", "missing", "corrupt"]


@dataclass(frozen=True)
class Listing:
    """A published dataset and its state.

    Attributes
    ----------
    sizes
        Number of digits for training and for testing.
    shape
        Height and width as published.
    found
        Folder of its files; None if there is none or it comes with a library.
    state
        ``verified``: all files have the published content; ``corrupt``: one does not, and `load` names it;
        ``missing``: `load` downloads it; ``bundled``: comes with an installed library.
    """

    name: str
    description: str
    sizes: tuple[int, int]
    shape: tuple[int, int]
    homepage: str
    found: Path | None
    state: FileState


def catalog(data_dir: Path | None = None) -> tuple[Listing, ...]:
    """List all published datasets. Files are searched as by `load` and verified; nothing is downloaded."""
    return tuple(_listing(published, data_dir) for published in PUBLISHED.values())


def _listing(published: PublishedDataset, data_dir: Path | None) -> Listing:
    found, state = _look_up(published, data_dir)
    return Listing(
        published.name, published.description, published.sizes, published.shape, published.homepage, found, state
    )


def _look_up(published: PublishedDataset, data_dir: Path | None) -> tuple[Path | None, FileState]:
    if published.bundle:
        return None, "bundled"
    found = locate(published, data_dir)
    if found is None:
        return None, "missing"
    folder, edition = found
    try:
        read_verified(folder, edition)
    except DigitsError:
        return folder, "corrupt"
    return folder, "verified"
