"""Pairs of images side by side."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figure_parts.image_sheet import counted, empty_sheet, image_sheet
from experiments.reporting.figure_parts.style import GRAY

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UNIT = 0.86  # inches, the side of a digit; other lengths are in sides of a digit
COLUMNS = 4
ROW, STEP, GAP = 1.6, 2.5, 0.05
MAX_SHOWN = 20


def pairs_gallery(
    left: NDArray[np.uint8], right: NDArray[np.uint8], captions: Sequence[str], total: int, title: str
) -> "Figure":
    """Draw the first 20 pairs of images side by side.

    Parameters
    ----------
    left, right
        uint8 (n, 28, 28); n may be 0.
    captions
        Text below each pair, of one or two lines.
    total
        Number of pairs that were found.
    title
        Should name data and what the pairs have in common; the number shown is added.
    """
    shown = list(zip(left, right, captions, strict=True))[:MAX_SHOWN]
    title, width = counted(title, len(shown), total), COLUMNS * STEP
    if not shown:
        return empty_sheet(title, width * UNIT, "no pairs")
    rows = -(-len(shown) // COLUMNS)
    with image_sheet(title, width, rows * ROW, UNIT) as (figure, sheet):
        for place, (one, other, caption) in enumerate(shown):
            row, column = divmod(place, COLUMNS)
            x, y, middle = column * STEP, row * ROW, (STEP - GAP) / 2
            sheet.place(one, x + middle - 1, y)
            sheet.place(other, x + middle + GAP, y)
            sheet.write(x + STEP / 2, y + 1.08, caption, fontsize=8, color=GRAY, ha="center", va="top")
    return figure
