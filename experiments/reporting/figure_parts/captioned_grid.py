"""Grid of digit images with captions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figure_parts.image_sheet import FRAME, SIDE, empty_sheet, image_sheet
from experiments.reporting.figure_parts.layout import lines_of
from experiments.reporting.figure_parts.style import INK, PALE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 5
GRID_CELLS = 25
STEP = 1 + 4 / SIDE  # from one digit to the next, in sides of a digit; as all lengths in whole pixels of a digit
LINE, PADDING = 0.17, 0.13  # inches, of a caption's line and around a caption
BOLD_FRAME = 2.0  # points


@dataclass(frozen=True)
class Caption:
    """A text above an image; one that is `marked` is bold, and its image has a dashed frame of its color."""

    text: str
    color: str = INK
    marked: bool = False


def captioned_grid(
    images: NDArray[np.uint8], captions: Sequence[Caption], title: str, width: float, note: str = ""
) -> "Figure":
    """Draw the first 25 images, five per row, each with its caption above.

    Parameters
    ----------
    images
        uint8 (n, 28, 28); n may be 0.
    captions
        One for each image, of one or more lines.
    title, note
        Set above and below the grid; may be empty.
    width
        Size in inches.
    """
    shown = list(zip(images, captions, strict=True))[:GRID_CELLS]
    if not shown:
        return empty_sheet(title, width, "no images")
    unit = width / COLUMNS / STEP
    lines = max(lines_of(caption.text) for _, caption in shown)
    above = math.ceil((PADDING + LINE * lines) / unit * SIDE) / SIDE
    rows = -(-len(shown) // COLUMNS)
    with image_sheet(title, COLUMNS * STEP, rows * (1 + above), unit, note) as (figure, sheet):
        for index, (image, caption) in enumerate(shown):
            row, column = divmod(index, COLUMNS)
            x, y = column * STEP + (STEP - 1) / 2, row * (1 + above) + above
            if caption.marked:
                sheet.place(image, x, y, caption.color, BOLD_FRAME, "--")
            else:
                sheet.place(image, x, y, PALE, FRAME)
            weight = "bold" if caption.marked else "normal"
            sheet.write(
                x + 0.5, y - PADDING / 2 / unit, caption.text,
                color=caption.color, fontsize=10, fontweight=weight, ha="center", va="bottom",
            )  # fmt: skip
    return figure
