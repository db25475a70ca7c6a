"""What is read in a picture: a digit, or rows of digits."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Box = tuple[int, int, int, int]
"""Left, top, width, height in pixels of the picture."""


@dataclass(frozen=True)
class Reading:
    """A picture read as one digit.

    Attributes
    ----------
    digit
        The most probable digit; None if the picture is blank.
    probability
        Its calibrated probability; 0 if the picture is blank.
    probabilities
        ``float64 (10,)``, their sum is 1.
    is_digit
        Whether the score reaches the network's threshold; False if the picture is blank.
    score
        Higher for digits than for anything else: the logarithm of the sum of exponentials of the logits.
    box
        Where the ink lies; None if the picture is blank.
    """

    digit: int | None
    probability: float
    probabilities: NDArray[np.float64]
    is_digit: bool
    score: float
    box: Box | None = None


@dataclass(frozen=True)
class RowDigit:
    """A digit of a row.

    Attributes
    ----------
    digit
        From 0 to 9.
    probability
        That this place of the picture holds this digit, over all ways to part the line.
    box
        Where its ink lies.
    """

    digit: int
    probability: float
    box: Box


@dataclass(frozen=True)
class RowReading:
    """One line of digits.

    Attributes
    ----------
    string
        Its digits.
    probability
        That the whole line reads so, over all ways to part it and all digits.
    digits
        From left to right.
    """

    string: str
    probability: float
    digits: tuple[RowDigit, ...]


def enlarged(box: Box, factor: int) -> Box:
    """Return a box in pixels of a picture of which a side was reduced by `factor`."""
    x, y, width, height = (factor * side for side in box)
    return x, y, width, height
