"""Where data sets are looked for on this machine, and the reading of what is found."""

import os
from dataclasses import dataclass
from pathlib import Path

from experiments.datasets.content import Content, read_content
from experiments.datasets.sources import Edition, Source
from experiments.errors import DigitsError


@dataclass(frozen=True)
class Copy:
    """A complete data set on this machine, its contents read and verified in the order of the files."""

    folder: Path
    edition: Edition
    contents: tuple[Content, ...]


def search_folders(source: Source, data_dir: Path | None) -> tuple[Path, ...]:
    """Return where to look: in `data_dir`, in ``$DIGITS_DATA_DIR``, in the user's cache."""
    configured = os.environ.get("DIGITS_DATA_DIR")
    roots = [data_dir, Path(configured) if configured else None, user_cache()]
    return tuple(dict.fromkeys(root.expanduser() / source.name for root in roots if root))


def user_cache() -> Path:
    """Return the user's cache folder for `digits`; it need not exist."""
    from platformdirs import user_cache_path

    return user_cache_path("digits", appauthor=False)


def locate(source: Source, data_dir: Path | None) -> tuple[Path, Edition] | None:
    """Return the first folder that holds all files of an edition, unread; None when none does."""
    for folder in search_folders(source, data_dir):
        for edition in source.editions:
            if all(file.find(folder) for file in edition.files):
                return folder, edition
    return None


def read_verified(folder: Path, edition: Edition) -> Copy:
    """Read an edition's files and check their contents.

    Raises
    ------
    DigitsError
        When a file is absent, cannot be read or is not what was published.
    """
    contents = []
    for file in edition.files:
        try:
            content = read_content(file.find(folder) or folder / file.name)
            file.check(content)
        except DigitsError as error:
            raise DigitsError(f"{error}; delete the file and run `digits data fetch {folder.name}`") from error
        contents.append(content)
    return Copy(folder, edition, tuple(contents))
