"""Confusing digits with their nearest neighbors, near duplicates, and outliers."""

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figures.image_grid import GRID_CELLS, counted, picture_grid, pictures
from experiments.reporting.figures.style import (
    BLUE,
    GREY,
    INK,
    MARGIN,
    PALE,
    RED,
    TITLE_CHARACTERS_PER_INCH,
    drawing,
    footnote,
    notice,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEIGHBORS = 3  # shown of each side

# All pictures share one pair of axes, whose unit is the side of a picture: axes for each take ten times as long.
UNIT = 0.86  # inches
TITLE_LINE, NOTE_LINE = 0.23, 0.23
ROW = 1.2
RANK_X, DIGIT_X, SAID_X, OTHERS_X, OWN_X, END_X = 0.0, 0.5, 1.6, 3.5, 9.1, 14.5
STEP = 1.8  # from one neighbor to the next
LINES = (0.14, 0.38, 0.62, 0.86)  # of text beside a picture
HEADS = 0.4
NOTE = (
    "d: distance in feature space. ratio: d of the nearest of its own class over d of the nearest other. "
    "In brackets the probability of the digit before them."
)

PAIRS_A_ROW = 4
PAIR_ROW, PAIR_STEP, PAIR_GAP = 1.6, 2.5, 0.05
MOST_PAIRS = 20


@dataclass(frozen=True, eq=False)
class Neighbor:
    """A nearest neighbor of a digit.

    Attributes
    ----------
    image
        uint8 in 0..255 or floats in [0, 1], (28, 28) or (28, 28, 1).
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

    image: NDArray[Any]
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
        Nearest digits of other classes and of its own, the nearest first; the first three are shown.
    """

    image: NDArray[Any]
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


def confusing_gallery(
    digits: Sequence[ConfusingDigit], title: str, rows: int = 20, total: int | None = None
) -> "Figure":
    """Draw confusing digits, each with its nearest neighbors of other classes and of its own.

    Parameters
    ----------
    digits
        In order of display; may be empty.
    title
        Should name data, split and model; the number shown is added.
    rows
        Maximum number shown, >= 1.
    total
        Total number, if not all are given.

    Raises
    ------
    ValueError
        If images have another shape.
    """
    shown = digits[:rows]
    title = counted(title, len(shown), total or len(digits))
    if not shown:
        return _nothing(title, END_X, "no confusing digits")
    with _sheet(title, END_X, HEADS + (len(shown) - 1) * ROW + 1, NOTE) as (figure, sheet):
        for x, text, color in (
            (DIGIT_X, "confusing digit", INK),
            (OTHERS_X, "nearest of other classes", RED),
            (OWN_X, "nearest of its own class", BLUE),
        ):
            sheet.text(x, HEADS / 2, text, color=color, fontsize=10, fontweight="bold", va="center")
        for row, digit in enumerate(shown):
            _confusing_row(sheet, digit, HEADS + row * ROW)
    return figure


def pairs_gallery(left: NDArray[Any], right: NDArray[Any], captions: Sequence[str], title: str) -> "Figure":
    """Draw the first 20 pairs of images side by side.

    Parameters
    ----------
    left, right
        uint8 in 0..255 or floats in [0, 1], (n, 28, 28) or (n, 28, 28, 1); n may be 0.
    captions
        Text below each pair, of one or two lines.
    title
        Should name data and what the pairs have in common; the number shown is added.

    Raises
    ------
    ValueError
        If images have another shape.
    """
    pairs = list(zip(pictures(left), pictures(right), captions, strict=True))
    shown = pairs[:MOST_PAIRS]
    rows = -(-len(shown) // PAIRS_A_ROW)
    title, width = counted(title, len(shown), len(pairs)), PAIRS_A_ROW * PAIR_STEP
    if not shown:
        return _nothing(title, width, "no pairs")
    with _sheet(title, width, rows * PAIR_ROW) as (figure, sheet):
        for place, (one, other, caption) in enumerate(shown):
            row, column = divmod(place, PAIRS_A_ROW)
            x, y, middle = column * PAIR_STEP, row * PAIR_ROW, (PAIR_STEP - PAIR_GAP) / 2
            _picture(sheet, one, x + middle - 1, y, PALE)
            _picture(sheet, other, x + middle + PAIR_GAP, y, PALE)
            sheet.text(x + PAIR_STEP / 2, y + 1.08, caption, fontsize=8, color=GREY, ha="center", va="top")
    return figure


def outlier_gallery(images: NDArray[Any], captions: Sequence[str], title: str, total: int | None = None) -> "Figure":
    """Draw the first 25 outliers, five per row.

    Parameters
    ----------
    images
        uint8 in 0..255 or floats in [0, 1], (n, 28, 28) or (n, 28, 28, 1); n may be 0.
    captions
        Text above each.
    title
        Should name data, split and model; the number shown is added.

    Raises
    ------
    ValueError
        If images have another shape.
    """

    def caption(axes: "Axes", index: int) -> None:
        axes.set_title(captions[index], pad=4, fontsize=9)

    return picture_grid(images, counted(title, min(len(images), GRID_CELLS), total or len(images)), 8, caption)


def _likely(neighbor: Neighbor) -> str:
    return "" if neighbor.probability is None else f" ({neighbor.probability:.2f})"


def _nothing(title: str, width: float, said: str) -> "Figure":
    with drawing(title, width * UNIT, 1.5) as figure:
        notice(figure, said)
    return figure


@contextmanager
def _sheet(title: str, width: float, height: float, note: str = "") -> Iterator[tuple["Figure", "Axes"]]:
    """Yield a figure and empty axes, whose unit is the side of a picture and whose origin is the upper left corner.

    The figure grows with title and note, so that the unit keeps its length.
    """
    across = width * UNIT + 2 * MARGIN
    lines = len(textwrap.wrap(title, int(across * TITLE_CHARACTERS_PER_INCH)))
    around = TITLE_LINE * lines + (NOTE_LINE if note else 0) + 4 * MARGIN
    with drawing(title, across, height * UNIT + around) as figure:
        sheet = figure.add_subplot()
        sheet.set(xlim=(0, width), ylim=(height, 0), aspect="equal", anchor="NW")
        sheet.set_axis_off()
        yield figure, sheet
        if note:
            footnote(figure, note)


def _picture(sheet: "Axes", image: NDArray[Any], x: float, y: float, color: str) -> None:
    from matplotlib.image import AxesImage
    from matplotlib.patches import Rectangle

    brightest = 255 if np.issubdtype(image.dtype, np.integer) else 1
    shown = AxesImage(sheet, cmap="gray_r", extent=(x, x + 1, y + 1, y), interpolation="nearest")
    shown.set_data(pictures(image[None])[0])
    shown.set_clim(0, brightest)
    sheet.add_image(shown)
    sheet.add_patch(Rectangle((x, y), 1, 1, fill=False, edgecolor=color, linewidth=1, clip_on=False))


def _confusing_row(sheet: "Axes", digit: ConfusingDigit, y: float) -> None:
    sheet.text(RANK_X, y + 0.5, f"{digit.rank}.", fontsize=10, va="center", color=GREY)
    _picture(sheet, digit.image, DIGIT_X, y, INK)
    wrong = digit.predicted != digit.label
    _say(
        sheet, SAID_X, y,
        (f"label {digit.label}", BLUE, True),
        (f"predicted {digit.predicted} ({digit.probability:.2f})", RED if wrong else BLUE, wrong),
        (f"ratio {_number(digit.ratio)}, score {digit.score:.4f}", INK, False),
        (f"{digit.split} #{digit.index}", GREY, False),
    )  # fmt: skip
    for start, neighbors, color in ((OTHERS_X, digit.others, RED), (OWN_X, digit.own, BLUE)):
        for place, neighbor in enumerate(neighbors[:NEIGHBORS]):
            x = start + place * STEP
            _picture(sheet, neighbor.image, x, y, color)
            _say(
                sheet, x + 1.08, y,
                (f"{neighbor.label}{_likely(neighbor)}", color, True),
                (f"d {_number(neighbor.distance)}", INK, False),
                (neighbor.split, GREY, False),
                (f"#{neighbor.index}", GREY, False),
            )  # fmt: skip


def _say(sheet: "Axes", x: float, y: float, *lines: tuple[str, str, bool]) -> None:
    """Write lines next to a picture, each given as text, color and whether it is bold."""
    for offset, (text, color, bold) in zip(LINES, lines, strict=True):
        weight = "bold" if bold else "normal"
        sheet.text(x, y + offset, text, color=color, fontsize=8, fontweight=weight, va="center")


def _number(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "\N{INFINITY}"
