"""Readers of digits that the benchmark of reading compares: each takes a picture and returns a string of digits."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.command import load_backend
from experiments.errors import UsageError
from experiments.inference import Reader
from experiments.inference.network import Network
from experiments.inference.reader import READER, network_file

Picture = NDArray[np.uint8]  # RGB, (height, width, 3)
ONNX = ".onnx"


class DigitReader(Protocol):
    """Something that reads digits.

    Attributes
    ----------
    name
        In tables.
    version
        Of its software, or the file of its network.
    size
        Bytes of the files of its networks.
    uses_length
        Whether it accepts the number of digits in a row.
    needs_28x28
        Whether it reads only single digits of 28x28 pixels, white ink on black.
    """

    name: str
    version: str
    uses_length: bool
    needs_28x28: bool

    @property
    def size(self) -> int: ...  # noqa: D102

    def read_digit(self, picture: Picture) -> str:
        """Read a picture of one digit; an empty string if it finds none."""

    def read_rows(self, picture: Picture, length: int | None) -> str:
        """Read rows of digits, joined by line feeds."""


class PictureReader:
    """A network of this project as `digits predict` uses it: preparation of the picture, then the network."""

    uses_length = True
    needs_28x28 = False

    def __init__(self, name: str, file: Path) -> None:
        self.name = name
        self._reader = Reader(file, threads=1)
        self.version = str(file)
        self.size = file.stat().st_size

    def read_digit(self, picture: Picture) -> str:
        """Return the likeliest digit."""
        digit = self._reader.read(picture).digit
        return "" if digit is None else str(digit)

    def read_rows(self, picture: Picture, length: int | None) -> str:
        """Return the likeliest digits of each row."""
        return "\n".join(row.string for row in self._reader.read_rows(picture, length))


class BareNetwork:
    """A network of this project on the pixels as they are, as `digits evaluate` uses it."""

    uses_length = False
    needs_28x28 = True

    def __init__(self, name: str, file: Path) -> None:
        self.name = bare(name)
        self._network = Network(file, threads=1)
        self.version = str(file)
        self.size = file.stat().st_size

    def read_digit(self, picture: Picture) -> str:
        """Return the likeliest digit."""
        image = picture[None, :, :, :1].astype(np.float32) / np.float32(255)
        return str(self._network.scores(image).logits[0].argmax())

    def read_rows(self, picture: Picture, length: int | None) -> str:  # noqa: ARG002
        """Refuse: it takes single digits."""
        raise UsageError(f"{self.name} reads single digits only")


def bare(name: str) -> str:
    """Return the name in tables of a network without the preparation of pictures."""
    return f"{name}, no preparation"


def own_readers(references: Sequence[str]) -> list[DigitReader]:
    """Return two readers for each network: with the preparation of pictures, and without.

    Parameters
    ----------
    references
        ``"reader"``, paths of ONNX files, and references of trained networks as for `digits predict --model`.

    Raises
    ------
    UsageError, DigitsError
        If there is no such network.
    """
    files = {reference: model_file(reference) for reference in references}
    short = {one: Path(one).stem if one.endswith(ONNX) else one for one in files}
    shared = Counter(short.values())
    names = {one: one if shared[short[one]] > 1 else short[one] for one in files}
    return [kind(names[one], file) for one, file in files.items() for kind in (PictureReader, BareNetwork)]


def model_file(reference: str) -> Path:
    """Return the ONNX file of a network; raises as `own_readers`."""
    if reference == READER or reference.endswith(ONNX):
        return network_file(reference)
    from experiments.tracking import open_store
    from experiments.tracking.references import exported_file, onnx_file, resolve_reference

    store = open_store()
    found = resolve_reference(store, reference)
    if not exported_file(store, found):
        load_backend()
    return onnx_file(store, found)
