"""Layout that figures share: long titles, labels and notes, sheets in fixed units, percentages."""

import math
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figure_parts.style import INK, MARGIN, TITLE_CHARACTERS_PER_INCH, footnote, themed_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Interval = tuple[float, float, float]  # value and bounds of its 95 % interval, in [0, 1]; NaN if unknown

LABEL_CHARACTERS = 32  # per line of a row's label
NOTE_CHARACTERS_PER_INCH = 12.5
TITLE_LINE, NOTE_LINE, LABEL_LINE = 0.23, 0.17, 0.16  # inches
SHARES = ("accuracy", "confiden", "error", "pseudo-labelled", "recall", "share")  # in names of proportions
HIGHEST_SHARE = 1 + 1e-6


@contextmanager
def spacious(title: str, width: float, height: float, note: str = "") -> Iterator["Figure"]:
    """Yield an empty figure as `themed_figure` does, with `height` inches between title and note.

    Parameters
    ----------
    title
        Set above the figure; may be empty.
    width, height
        Width of the figure, and height between title and note, in inches.
    note
        Explanation below the figure; may be empty.
    """
    above = len(textwrap.wrap(title, int(width * TITLE_CHARACTERS_PER_INCH)))
    below = textwrap.wrap(note, int(width * NOTE_CHARACTERS_PER_INCH))
    around = sum(lines * line + 2 * MARGIN for lines, line in ((above, TITLE_LINE), (len(below), NOTE_LINE)) if lines)
    with themed_figure(title, width, height + around) as figure:
        if below:
            footnote(figure, "\n".join(below))
        yield figure


@contextmanager
def blank_sheet(
    title: str, width: float, height: float, unit: float, note: str = ""
) -> Iterator[tuple["Figure", "Axes"]]:
    """Yield a figure and axes without ticks or lines, with the origin in the upper left corner.

    Axes of their own for each of many pictures or panels would take ten times as long to draw.

    Parameters
    ----------
    title, note
        Set above and below the sheet; may be empty.
    width, height
        Size of the sheet in units.
    unit
        Length of a unit of both axes in inches.
    """
    margins = 2 * MARGIN
    with spacious(title, width * unit + margins, height * unit + margins, note) as figure:
        sheet = figure.add_subplot(xlim=(0, width), ylim=(height, 0), aspect="equal", anchor="NW", autoscale_on=False)
        sheet.set_axis_off()
        yield figure, sheet


def write(sheet: "Axes", x: float, y: float, text: str, **style: Any) -> None:
    """Write a text on a blank sheet, with the style of `matplotlib.text.Text`."""
    # The sheet has room for its texts: they need not be measured to lay the figure out.
    sheet.text(x, y, text, **style).set_in_layout(False)


def write_numbers(
    sheet: "Axes", places: NDArray[np.floating], numbers: Sequence[str], size: float = 8, color: str = INK
) -> None:
    """Write a short text, centered, at each of n places on a blank sheet, (n, 2).

    Equal texts are drawn as the marker of one line, whose label is the text: hundreds of texts take ten times as long.
    `size` is in points.
    """
    from matplotlib.textpath import TextPath
    from matplotlib.transforms import Affine2D

    middle = TextPath((0, 0), "0", size=size).get_extents().height / 2
    of_text: dict[str, list[int]] = {}
    for index, text in enumerate(numbers):
        of_text.setdefault(text, []).append(index)
    for text, indices in of_text.items():
        path = TextPath((0, 0), text, size=size)
        outline = path.transformed(Affine2D().translate(-path.get_extents().width / 2, -middle))
        # Matplotlib scales a marker to its size: this is the one that leaves it as it is.
        style = {"marker": outline, "markersize": 2 * np.abs(outline.vertices).max(), "markeredgewidth": 0}
        (line,) = sheet.plot(*places[indices].T, color=color, linestyle="none", label=text, clip_on=False, **style)
        line.set_in_layout(False)


def rectangles(
    left: NDArray[np.floating], right: NDArray[np.floating], lower: NDArray[np.floating], upper: NDArray[np.floating]
) -> list[NDArray[np.floating]]:
    """Return the corners, (4, 2), of n rectangles with the given edges, each (n,)."""
    corners = ((left, lower), (left, upper), (right, upper), (right, lower))
    return list(np.stack([np.column_stack(corner) for corner in corners], axis=1))


def row_labels(names: Iterable[str], characters: int = LABEL_CHARACTERS) -> tuple[list[str], float]:
    """Wrap the labels of rows, and return them with the distance between rows in inches."""
    labels = [textwrap.fill(name, characters) for name in names]
    lines = [lines_of(label) for label in labels]
    apart = max(((a + b) / 2 for a, b in pairwise(lines)), default=max(lines, default=1))
    return labels, LABEL_LINE * apart + 0.1


def lines_of(text: str) -> int:
    """Count the lines of a text."""
    return text.count("\n") + 1


def in_percent(name: str, values: Sequence[float] | NDArray[np.float64]) -> bool:
    """Return whether values are proportions, shown in percent: by their name, and if they lie in [0, 1]."""
    named = any(word in name.lower().replace("_", "-") for word in SHARES)
    return named and all(0 <= value <= HIGHEST_SHARE for value in values if not math.isnan(value))


def signed(value: float, places: int) -> str:
    """Format a change with its sign (a true minus); without a sign if it rounds to 0."""
    text = f"{abs(value):.{places}f}"
    return text if not float(text) else ("+" if value > 0 else "\N{MINUS SIGN}") + text
