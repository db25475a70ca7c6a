"""Sheets of digit images with texts, on which all digits are one image."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figure_parts.layout import blank_sheet, spacious, write
from experiments.reporting.figure_parts.style import PALE, notice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIDE = 28  # pixels of a digit
FRAME = 0.8  # points
EMPTY = 1.2  # inches, the height of a figure without digits


@dataclass(frozen=True)
class Frame:
    """A frame around a digit: the digit's upper left corner on the sheet, color, line width in points, and style."""

    x: float
    y: float
    color: str
    width: float
    style: str


@dataclass(frozen=True, eq=False)
class ImageSheet:
    """A sheet of digits and texts. Its unit is the side of a digit, its origin the upper left corner.

    Attributes
    ----------
    axes
        Axes in these units.
    pixels
        All digits as one image, uint8 (28 height, 28 width): 0 is white, 255 black.
    frames
        Frames of the digits, in the order in which they were placed.
    """

    axes: "Axes"
    pixels: NDArray[np.uint8]
    frames: list[Frame] = field(default_factory=list)

    def place(
        self, image: NDArray[np.uint8], x: float, y: float, color: str = PALE, width: float = FRAME, style: str = "-"
    ) -> None:
        """Place a digit, uint8 (28, 28), with its upper left corner at the full pixel next to (x, y), in a frame."""
        column, row = round(x * SIDE), round(y * SIDE)
        self.pixels[row : row + SIDE, column : column + SIDE] = image
        self.frames.append(Frame(column / SIDE, row / SIDE, color, width, style))

    def write(self, x: float, y: float, text: str, **style: Any) -> None:
        """Write a text at (x, y), with the style of `matplotlib.text.Text`."""
        write(self.axes, x, y, text, **style)


@contextmanager
def image_sheet(
    title: str, width: float, height: float, unit: float, note: str = ""
) -> Iterator[tuple["Figure", ImageSheet]]:
    """Yield a figure with an empty sheet; digits and frames are drawn at the end of the block.

    The parameters are those of `blank_sheet`, with the side of a digit as the unit.
    """
    with blank_sheet(title, width, height, unit, note) as (figure, axes):
        sheet = ImageSheet(axes, np.zeros((round(height * SIDE), round(width * SIDE)), np.uint8))
        yield figure, sheet
        _draw(sheet)


def empty_sheet(title: str, width: float, text: str) -> "Figure":
    """Draw a figure of `width` inches without digits, in which a text says so."""
    with spacious(title, width, EMPTY) as figure:
        notice(figure, text)
    return figure


def counted(title: str, shown: int, found: int) -> str:
    """Add the number of shown items to a title, and their total."""
    return f"{title} (first {shown} of {found:,})" if shown < found else f"{title} ({found})"


def _draw(sheet: ImageSheet) -> None:
    from matplotlib.collections import PolyCollection
    from matplotlib.image import PcolorImage

    rows, columns = (np.arange(pixels + 1) / SIDE for pixels in sheet.pixels.shape)
    # It repeats pixels, and so takes a tenth of the time of an `AxesImage` of this size.
    picture = PcolorImage(sheet.axes, columns, rows, np.repeat(255 - sheet.pixels[..., None], 3, axis=-1))
    picture.set_in_layout(False)  # it fills the axes
    sheet.axes.add_image(picture)
    corners = np.array([[frame.x, frame.y] for frame in sheet.frames])
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    frames = PolyCollection(
        corners[:, None] + square,
        facecolors="none",
        edgecolors=[frame.color for frame in sheet.frames],
        linewidths=[frame.width for frame in sheet.frames],
        linestyles=[frame.style for frame in sheet.frames],
        clip_on=False,
    )
    sheet.axes.add_collection(frames, autolim=False)
