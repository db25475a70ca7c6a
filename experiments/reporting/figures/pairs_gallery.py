"""Pairs of images side by side."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figure_parts.digit_images import DigitImages
from experiments.reporting.figure_parts.image_sheet import counted, empty_sheet, image_sheet
from experiments.reporting.figure_parts.style import GRAY

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UNIT = 0.86  # inches, the side of a digit; other lengths are in sides of a digit
COLUMNS = 4
ROW, STEP, GAP = 1.6, 2.5, 0.05
MAX_SHOWN = 20


def pairs_gallery(
    left: DigitImages, right: DigitImages, distances: NDArray[np.float32], total: int, title: str
) -> "Figure":
    """Draw at most 20 pairs of digits side by side, each with places, labels and distance below.

    Parameters
    ----------
    left, right
        The n digits on each side, in order of display; may be none.
    distances
        Root mean square difference of the pixels of each pair, in [0, 1], (n,).
    total
        Number of pairs that were found.
    title
        Should name data and what the pairs have in common; the number shown is added.
    """
    captions = [
        f"{one}\n{other}, rms {distance:.3f}"
        for one, other, distance in zip(left.names(), right.names(), distances, strict=True)
    ][:MAX_SHOWN]
    title, width = counted(title, len(captions), total), COLUMNS * STEP
    if not captions:
        return empty_sheet(title, width * UNIT, "no pairs")
    rows = -(-len(captions) // COLUMNS)
    with image_sheet(title, width, rows * ROW, UNIT) as (figure, sheet):
        for place, caption in enumerate(captions):
            row, column = divmod(place, COLUMNS)
            x, y, middle = column * STEP, row * ROW, (STEP - GAP) / 2
            sheet.place(left.images[place], x + middle - 1, y)
            sheet.place(right.images[place], x + middle + GAP, y)
            sheet.write(x + STEP / 2, y + 1.08, caption, fontsize=8, color=GRAY, ha="center", va="top")
    return figure
