"""Search for published datasets on this machine, and verification of their files."""

import os
from dataclasses import dataclass
from pathlib import Path

from experiments.datasets.content import Content, read_content
from experiments.datasets.published.published_dataset import Edition, PublishedDataset
from experiments.errors import DigitsError


@dataclass(frozen=True)
class LocalCopy:
    """A complete dataset on this machine, with the verified contents of its files in their order."""

    folder: Path
    edition: Edition
    contents: tuple[Content, ...]


def search_folders(published: PublishedDataset, data_dir: Path | None) -> tuple[Path, ...]:
    """Return the folders to search: in `data_dir`, in ``$DIGITS_DATA_DIR``, in the user's cache."""
    configured = os.environ.get("DIGITS_DATA_DIR")
    roots = [data_dir, Path(configured) if configured else None, user_cache()]
    return tuple(dict.fromkeys(root.expanduser() / published.name for root in roots if root))


def user_cache() -> Path:
    """Return the user's cache folder for `digits`; it may not exist."""
    from platformdirs import user_cache_path

    return user_cache_path("digits", appauthor=False)


def locate(published: PublishedDataset, data_dir: Path | None) -> tuple[Path, Edition] | None:
    """Find the first folder that holds all files of an edition, without reading them; None if there is none."""
    for folder in search_folders(published, data_dir):
        for edition in published.editions:
            if all(file.find(folder) for file in edition.files):
                return folder, edition
    return None


def read_verified(folder: Path, edition: Edition) -> LocalCopy:
    """Read the files of an edition and check their contents.

    Raises
    ------
    DigitsError
        If a file is absent, unreadable or differs from the published one.
    """
    contents = []
    for file in edition.files:
        try:
            content = read_content(file.find(folder) or folder / file.name)
            file.check(content)
        except DigitsError as error:
            raise DigitsError(f"{error}; delete the file and run `digits data fetch {folder.name}`") from error
        contents.append(content)
    return LocalCopy(folder, edition, tuple(contents))
