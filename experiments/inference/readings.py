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
    """A digit of a row, its calibrated probability and where it lies."""

    digit: int
    probability: float
    box: Box


@dataclass(frozen=True)
class RowReading:
    """A row of digits, from left to right; `probability` is that of the whole string."""

    string: str
    probability: float
    digits: tuple[RowDigit, ...]
