"""Reading of many pictures, one after the other, in batches for the network."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from experiments.errors import DigitsError, UsageError
from experiments.inference.reader import Model, Reader
from experiments.inference.readings import Reading, RowReading
from experiments.pictures.digit import DigitPicture
from experiments.pictures.files import STANDARD_INPUT
from experiments.pictures.opening import MAX_MEGAPIXELS

BATCH = 64
MAX_BYTES = 500_000_000  # of the standard input


@dataclass(frozen=True)
class Task:
    """What is read in each picture.

    Attributes
    ----------
    rows
        Whether rows of digits are read, not one digit.
    length
        Number of digits in each row, >= 1; None if it is unknown.
    explain
        Folder for pictures of how each was read; None for no such pictures.
    reject_below
        Digits with a lower probability are written as ``?``.
    max_megapixels
        Larger pictures are not read.

    Raises
    ------
    UsageError
        For a length without rows, or below 1.
    """

    rows: bool = False
    length: int | None = None
    explain: Path | None = None
    reject_below: float = 0.0
    max_megapixels: float = MAX_MEGAPIXELS

    def __post_init__(self) -> None:
        if self.length is not None and not self.rows:
            raise UsageError("--length needs --rows: it is the number of digits in each row")
        if self.length is not None and self.length < 1:
            raise UsageError(f"length must be at least 1, received {self.length}")


@dataclass(frozen=True)
class FileReading:
    """A picture file that was read: as one digit, as rows of digits, or not, with the reason."""

    file: str
    reading: Reading | None = None
    rows: tuple[RowReading, ...] | None = None
    error: str | None = None


def read_files(models: Sequence[Model], files: Iterable[str], task: Task) -> Iterator[FileReading]:
    """Read picture files; yield a `FileReading` for each, in the same order.

    Parameters
    ----------
    models
        As for `Reader`, which raises.
    files
        Paths; ``-`` for the standard input.

    Raises
    ------
    DigitsError
        If the folder for explanations cannot be written.
    """
    reader, files = Reader(models, max_megapixels=task.max_megapixels), iter(files)
    if task.explain:
        yield from _explained(reader, files, task, task.explain)
    elif task.rows:
        yield from (_rows(reader, file, task.length) for file in files)
    else:
        while batch := [*islice(files, BATCH)]:
            yield from _read_batch(reader, batch)


def _read_batch(reader: Reader, files: list[str]) -> list[FileReading]:
    found: dict[int, DigitPicture | None] = {}
    errors: dict[int, str] = {}
    for i, file in enumerate(files):
        try:
            digit = reader.find(_source(file))
        except DigitsError as error:
            errors[i] = str(error)
        else:
            found[i] = digit and replace(digit, steps={})  # these are as large as the picture
    readings = dict(zip(found, reader.read_found([*found.values()]), strict=True))
    return [FileReading(file, readings.get(i), error=errors.get(i)) for i, file in enumerate(files)]


def _rows(reader: Reader, file: str, length: int | None) -> FileReading:
    try:
        return FileReading(file, rows=tuple(reader.read_rows(_source(file), length)))
    except DigitsError as error:
        return FileReading(file, error=str(error))


def _explained(reader: Reader, files: Iterator[str], task: Task, folder: Path) -> Iterator[FileReading]:
    """Read each picture alone and save a picture of how it was read, under a name of its own."""
    from PIL import Image

    from experiments.inference.explain import strip

    used: set[str] = set()
    for file in files:
        try:
            if task.rows:
                rows, drawn = reader.explain_rows(_source(file), task.length)
                result, picture = FileReading(file, rows=tuple(rows)), Image.fromarray(drawn)
            else:
                image = reader.open(_source(file))
                found = reader.find(image)
                (reading,) = reader.read_found([found])
                result, picture = FileReading(file, reading), strip(image.pixels, found, reading)
        except DigitsError as error:
            yield FileReading(file, error=str(error))
            continue
        try:
            folder.mkdir(parents=True, exist_ok=True)
            picture.save(folder / _unused(file, used))
        except OSError as error:
            raise DigitsError(f"{folder} cannot be written: {error.strerror or error}") from error
        yield result


def _unused(file: str, used: set[str]) -> str:
    """Return the name of a PNG file for a picture, with a number if another picture has it; add it to `used`."""
    stem = "standard-input" if file == STANDARD_INPUT else Path(file).stem
    number, name = 1, f"{stem}.png"
    while name.lower() in used:  # some file systems do not distinguish upper and lower case
        number += 1
        name = f"{stem}-{number}.png"
    used.add(name.lower())
    return name


def _source(file: str) -> Path | bytes:
    """Return a path, or what the standard input holds.

    Raises
    ------
    DigitsError
        If there is too much of it.
    """
    if file != STANDARD_INPUT:
        return Path(file)
    content = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise DigitsError(f"the standard input has more than {MAX_BYTES:,} bytes")
    return content
