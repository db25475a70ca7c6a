"""Confusing digits with their nearest neighbors."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figure_parts.image_sheet import ImageSheet, counted, empty_sheet, image_sheet
from experiments.reporting.figure_parts.style import BLUE, GRAY, INK, RED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NEIGHBORS = 3  # shown of each side

UNIT = 0.86  # inches, the side of a digit; other lengths are in sides of a digit
ROW = 1.2
RANK_X, DIGIT_X, SAID_X, OTHERS_X, OWN_X, END_X = 0.0, 0.5, 1.6, 3.5, 9.1, 14.5
STEP = 1.8  # from one neighbor to the next
LINES = (0.14, 0.38, 0.62, 0.86)  # of text beside a picture
HEADS = 0.4
NOTE = (
    "d: distance in feature space. ratio: smallest d in the own class over smallest d in another class. "
    "In brackets the probability of the digit before them."
)
FRAME = 1.0  # points


@dataclass(frozen=True, eq=False)
class Neighbor:
    """A nearest neighbor of a digit.

    Attributes
    ----------
    image
        uint8 (28, 28).
    split
        Name of the split it is from.
    index
        Index within that split.
    label
        True digit.
    distance
        In feature space.
    probability
        Of its label, by a network that was not trained on it; None if there is none.
    """

    image: NDArray[np.uint8]
    split: str
    index: int
    label: int
    distance: float
    probability: float | None = None


@dataclass(frozen=True, eq=False)
class ConfusingDigit:
    """A confusing digit and its nearest neighbors.

    Attributes
    ----------
    image, split, index, label
        As of a `Neighbor`.
    predicted
        Most probable digit.
    probability
        Its probability, in [0, 1].
    ratio
        Distance to the nearest of the own class over that to the nearest of another; may be infinite.
    score
        In [0, 1]: 1 is the most confusing.
    rank
        Place by score, from 1.
    others, own
        Nearest neighbors in other classes and in its own class, in order of distance; the first three are shown.
    """

    image: NDArray[np.uint8]
    split: str
    index: int
    label: int
    predicted: int
    probability: float
    ratio: float
    score: float
    rank: int
    others: tuple[Neighbor, ...]
    own: tuple[Neighbor, ...]


def confusing_gallery(digits: Sequence[ConfusingDigit], total: int, title: str) -> "Figure":
    """Draw confusing digits with their nearest neighbors in other classes and in their own class.

    Parameters
    ----------
    digits
        In order of display; may be empty.
    total
        Number of digits that were ranked.
    title
        Should name data, split and model; the number shown is added.
    """
    title = counted(title, len(digits), total)
    if not digits:
        return empty_sheet(title, END_X * UNIT, "no confusing digits")
    height = HEADS + (len(digits) - 1) * ROW + 1
    with image_sheet(title, END_X, height, UNIT, NOTE) as (figure, sheet):
        for x, text, color in (
            (DIGIT_X, "confusing digit", INK),
            (OTHERS_X, "nearest of other classes", RED),
            (OWN_X, "nearest of its own class", BLUE),
        ):
            sheet.write(x, HEADS / 2, text, color=color, fontsize=10, fontweight="bold", va="center")
        for row, digit in enumerate(digits):
            _draw_row(sheet, digit, HEADS + row * ROW)
    return figure


def _likely(neighbor: Neighbor) -> str:
    return "" if neighbor.probability is None else f" ({neighbor.probability:.2f})"


def _draw_row(sheet: ImageSheet, digit: ConfusingDigit, y: float) -> None:
    sheet.write(RANK_X, y + 0.5, f"{digit.rank}.", fontsize=10, va="center", color=GRAY)
    sheet.place(digit.image, DIGIT_X, y, INK, FRAME)
    wrong = digit.predicted != digit.label
    _write_lines(
        sheet, SAID_X, y,
        (f"label {digit.label}", BLUE, True),
        (f"predicted {digit.predicted} ({digit.probability:.2f})", RED if wrong else BLUE, wrong),
        (f"ratio {_number(digit.ratio)}, score {digit.score:.4f}", INK, False),
        (f"{digit.split} #{digit.index}", GRAY, False),
    )  # fmt: skip
    for start, neighbors, color in ((OTHERS_X, digit.others, RED), (OWN_X, digit.own, BLUE)):
        for place, neighbor in enumerate(neighbors[:NEIGHBORS]):
            x = start + place * STEP
            sheet.place(neighbor.image, x, y, color, FRAME)
            _write_lines(
                sheet, x + 1.08, y,
                (f"{neighbor.label}{_likely(neighbor)}", color, True),
                (f"d {_number(neighbor.distance)}", INK, False),
                (neighbor.split, GRAY, False),
                (f"#{neighbor.index}", GRAY, False),
            )  # fmt: skip


def _write_lines(sheet: ImageSheet, x: float, y: float, *lines: tuple[str, str, bool]) -> None:
    """Write lines next to a picture, each given as text, color and whether it is bold."""
    for offset, (text, color, bold) in zip(LINES, lines, strict=True):
        weight = "bold" if bold else "normal"
        sheet.write(x, y + offset, text, color=color, fontsize=8, fontweight=weight, va="center")


def _number(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "\N{INFINITY}"
