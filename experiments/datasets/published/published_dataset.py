"""Definition of a published dataset: its files, their mirrors, and the checks of their content."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.datasets.content import Content
from experiments.datasets.dataset import UNCHANGED, RawSplit
from experiments.errors import DigitsError

Check = Callable[[Content], None]
Parser = Callable[[Sequence[Content]], tuple[RawSplit, RawSplit]]


@dataclass(frozen=True)
class RemoteFile:
    """A file by its name on the mirrors, and a check of its content that raises DigitsError."""

    name: str
    check: Check

    def find(self, folder: Path) -> Path | None:
        """Return the path of the file in `folder`, as published or decompressed; None if it is absent."""
        for path in (folder / self.name, folder / Path(self.name).stem):
            if path.is_file():
                return path
        return None


@dataclass(frozen=True)
class Edition:
    """One complete form in which a dataset is published.

    Attributes
    ----------
    mirrors
        URLs to which the name of a file is appended, tried in this order.
    parse
        Parser of the contents of the files, in their order, into training and test digits.
    transform
        What the publisher did to this form, before it is aligned; see `Dataset`.
    """

    files: tuple[RemoteFile, ...]
    mirrors: tuple[str, ...]
    parse: Parser
    transform: str = UNCHANGED


@dataclass(frozen=True)
class Bundle:
    """A dataset that comes with an installed library, without an official split.

    Attributes
    ----------
    library
        Name of the library.
    folder
        Function that returns the folder of its files.
    read
        Reader of all digits.
    """

    library: str
    folder: Callable[[], Path]
    read: Callable[[], RawSplit]


@dataclass(frozen=True)
class PublishedDataset:
    """A dataset that is available by name.

    Attributes
    ----------
    description
        One line: its full name, origin and reference.
    sizes
        Number of digits for training and for testing.
    shape
        Height and width as published.
    editions
        The forms in which it is published, the preferred one first; none if it is bundled.
    bundle
        The library that it comes with, instead of editions.
    """

    name: str
    description: str
    sizes: tuple[int, int]
    shape: tuple[int, int]
    homepage: str
    editions: tuple[Edition, ...] = ()
    bundle: Bundle | None = None


def sha256_is(expected: str) -> Check:
    """Build a check that the content, after decompression, has this SHA-256."""

    def check(content: Content) -> None:
        received = hashlib.sha256(content.data).hexdigest()
        if received != expected:
            raise DigitsError(
                f"{content.path}: the content's SHA-256 is {received[:16]}..., expected {expected[:16]}..."
            )

    return check


def parse_each(parse: Callable[[Content], RawSplit], contents: Sequence[Content]) -> tuple[RawSplit, RawSplit]:
    """Parse an edition that has one file per split."""
    train, test = contents
    return parse(train), parse(test)
