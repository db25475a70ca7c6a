"""Pictures with known truth, on which readers of digits are compared."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.readers import DigitReader, Picture
from benchmarks.synthetic_rows import RowStyle, synthetic_rows
from experiments import datasets
from experiments.datasets import CLASSES, Split
from experiments.datasets.corruptions import CORRUPTIONS
from experiments.datasets.corruptions.corrupting import corrupt
from experiments.errors import DigitsError, UsageError
from experiments.pictures.files import list_pictures
from experiments.pictures.reading import read_picture

SEED = 0
ROW_LENGTH = 5
ALL_ROWS = 1000  # without a limit


@dataclass(frozen=True, eq=False)
class Example:
    """A picture.

    Attributes
    ----------
    name
        Tells which one it is.
    picture
        ``uint8 (height, width, 3)``.
    truth
        Its digits.
    origin
        Number of the image that it is made of: pictures of the same origin are not independent.
    """

    name: str
    picture: Picture
    truth: str
    origin: int


@dataclass(frozen=True, eq=False)
class PictureSet:
    """Pictures of one kind.

    Attributes
    ----------
    name
        In tables.
    examples
        Yields the pictures, the same ones each time.
    rows
        Whether they show rows of digits.
    length
        Number of digits in each row, given to readers that accept it.
    is_28x28
        Whether they are single digits of 28x28 pixels, white ink on black.
    """

    name: str
    examples: Callable[[], Iterator[Example]]
    rows: bool = False
    length: int | None = None
    is_28x28: bool = False

    def suits(self, reader: DigitReader) -> bool:
        """Return whether a reader can read these pictures, and make use of the length of rows if it is known."""
        return (self.is_28x28 or not reader.needs_28x28) and (self.length is None or reader.uses_length)

    def read(self, reader: DigitReader, picture: Picture) -> str:
        """Let a reader read a picture of this set."""
        return reader.read_rows(picture, self.length) if self.rows else reader.read_digit(picture)


def load_set(name: str, limit: int | None) -> PictureSet:
    """Return a set of `SETS`, all of it or a sample of `limit` pictures."""
    return SETS[name](name, limit)


def folder_set(folder: str, limit: int | None, say: Callable[[str], None]) -> PictureSet:
    """Return the pictures in the class folders ``0/`` to ``9/`` of a folder; those that cannot be read are left out.

    Raises
    ------
    UsageError
        If there are none.
    """
    files = [
        (file, digit)
        for digit in map(str, range(CLASSES))
        if Path(folder, digit).is_dir()
        for file in list_pictures([str(Path(folder, digit))])
    ]
    if not files:
        raise UsageError(f"{folder} has no pictures in class folders 0/ to 9/")
    chosen = [files[i] for i in _some(len(files), limit)]

    def examples() -> Iterator[Example]:
        for i, (file, digit) in enumerate(chosen):
            try:
                yield Example(file, read_picture(Path(file)).pixels, digit, i)
            except DigitsError as error:
                say(f"left out: {error}")

    return PictureSet(folder, examples)


def _test_digits(name: str, limit: int | None) -> PictureSet:
    test = datasets.load(name).test
    indices = datasets.sample_indices(test, limit, SEED) if limit else np.arange(len(test))
    return PictureSet(name, lambda: _examples(test.take(indices), indices, name), is_28x28=True)


def _corrupted(name: str, limit: int | None) -> PictureSet:
    """Return as many pictures of each corruption, of different digits as long as there are enough."""
    test = datasets.load("mnist").test
    each = max(1, limit // len(CORRUPTIONS)) if limit else len(test)
    order = np.random.default_rng(SEED).permutation(len(test))

    def examples() -> Iterator[Example]:
        for number, corruption in enumerate(CORRUPTIONS):
            indices = np.sort(np.take(order, range(number * each, (number + 1) * each), mode="wrap"))
            yield from _examples(corrupt(test.take(indices), corruption, SEED), indices, f"{name}/{corruption}")

    return PictureSet(name, examples, is_28x28=True)


def _rows(name: str, limit: int | None) -> PictureSet:
    test = datasets.load("mnist").test
    style = RowStyle(digits=ROW_LENGTH)

    def examples() -> Iterator[Example]:
        for seed in range(limit or ALL_ROWS):
            made = synthetic_rows(test, style, seed)
            yield Example(f"{name}/{seed}", made.picture, "\n".join(made.strings), seed)

    return PictureSet(name, examples, rows=True)


def _rows_of_known_length(name: str, limit: int | None) -> PictureSet:
    return PictureSet(name, _rows(name, limit).examples, rows=True, length=ROW_LENGTH)


SETS: dict[str, Callable[[str, int | None], PictureSet]] = {
    "mnist": _test_digits,
    "usps": _test_digits,
    "mnist-c": _corrupted,
    "rows": _rows,
    "rows-5": _rows_of_known_length,
}
"""The constructor of each set. It takes the name and a limit; None means all pictures."""


def _examples(split: Split, indices: NDArray[np.int64], name: str) -> Iterator[Example]:
    for index, image, label in zip(indices, split.images, split.labels, strict=True):
        yield Example(f"{name}/{index}", np.repeat(image[..., None], 3, axis=2), str(label), int(index))


def _some(n: int, limit: int | None) -> NDArray[np.int64]:
    """Return the indices of a random sample, ascending."""
    return np.sort(np.random.default_rng(SEED).permutation(n)[:limit])
