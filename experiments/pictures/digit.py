"""One digit in a picture: its ink, brought to 28x28."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from experiments.errors import DigitsError
from experiments.pictures.ink import light_ink, remove_paper
from experiments.pictures.normalization import fit_to_mnist


@dataclass(frozen=True)
class DigitPicture:
    """A digit found in a picture.

    Attributes
    ----------
    views
        ``uint8 (k, 28, 28)``: the digit as MNIST's are, white on black; the first is the main one.
    box
        Left, top, width and height of its ink in pixels of the picture.
    steps
        Intermediate pictures by title, in order: ``uint8 (height, width)`` or ``(height, width, 3)``.
    """

    views: NDArray[np.uint8]
    box: tuple[int, int, int, int]
    steps: dict[str, NDArray[np.uint8]] = field(default_factory=dict)


def find_digit(picture: NDArray[np.uint8]) -> DigitPicture | None:
    """Find the ink in a picture, ``uint8 (height, width, 3)``; return None if there is none."""
    gray = np.rint(picture @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
    try:
        ink = remove_paper(light_ink(gray, "the picture"))
    except DigitsError:
        return None
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    box = (int(columns[0]), int(rows[0]), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)
    digit = fit_to_mnist(ink)
    return DigitPicture(digit[None], box, {"picture": picture, "gray": gray, "ink": ink, "28x28": digit})
