"""What stands on a sheet of digits, for the tests of galleries."""

from dataclasses import dataclass

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import NDArray

SIDE = 28


@dataclass(frozen=True, eq=False)
class Placed:
    """A digit on a sheet: its corner, its pixels, 255 for black, and the color of its frame."""

    x: float
    y: float
    image: NDArray[np.uint8]
    color: str


def digits_on(figure: Figure) -> list[Placed]:
    """Return the digits in the order in which they were placed."""
    (axes,) = figure.axes
    (picture,) = axes.images
    pixels = 255 - np.asarray(picture.get_array())[..., 0]
    frames = next(
        one for one in axes.collections if isinstance(one, PolyCollection) and not len(np.asarray(one.get_facecolor()))
    )
    digits = []
    for path, color in zip(frames.get_paths(), np.asarray(frames.get_edgecolor()), strict=True):
        x, y = np.asarray(path.vertices)[0]
        row, column = round(y * SIDE), round(x * SIDE)
        image = pixels[row : row + SIDE, column : column + SIDE]
        digits.append(Placed(x, y, image, to_hex(color).upper()))
    return digits


def written(figure: Figure) -> list[Text]:
    """Return the texts on the sheet in the order in which they were written."""
    return list(figure.axes[0].texts)


def texts_at(figure: Figure, digit: Placed, low: float = -0.3, high: float = 0) -> list[str]:
    """Return the texts over the width of a digit, from `low` to `high` below its upper edge."""
    return [
        text.get_text()
        for text, (x, y) in ((text, text.get_position()) for text in written(figure))
        if -1 / SIDE <= x - digit.x <= 1 + 1 / SIDE and low <= y - digit.y <= high
    ]
