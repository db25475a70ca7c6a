"""Misclassified images."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import CLASSES
from experiments.reporting.figure_parts.image_sheet import ImageSheet, counted, empty_sheet, image_sheet
from experiments.reporting.figure_parts.layout import rectangles, write_numbers
from experiments.reporting.figure_parts.style import BLUE, GRAY, PALE, RED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_SHOWN = 30
COLUMNS = 5
UNIT = 0.92  # inches, the side of a digit; other lengths are in sides of a digit
STEP, ROW = 2.83, 1.56
HEAD = 0.24  # above a digit
LEGEND = 0.36
BARS_X, BARS_WIDTH = 1.28, 1.3  # left end and width of a chart, beside its digit; it is as high as the digit
BAR = 0.8  # width of a bar, in distances between bars
AXES = (((0, 0), (BARS_WIDTH, 0)), ((0, 0), (0, -1)))  # lines of a chart, from its lower left corner
GRID = (((0, -0.5), (BARS_WIDTH, -0.5)), ((0, -1), (BARS_WIDTH, -1)))


def misclassified_gallery(
    images: NDArray[np.uint8],
    index: NDArray[np.int64],
    labels: NDArray[np.int64],
    probabilities: NDArray[np.float32],
    total: int,
    title: str,
) -> "Figure":
    """Draw at most 30 mistakes, each as the image with its index and a bar chart of its ten probabilities.

    Parameters
    ----------
    images
        uint8 (n, 28, 28), in the order in which to show them; n may be 0.
    index
        Their places in the split, (n,).
    labels
        True digits, (n,).
    probabilities
        Predicted distributions, (n, 10).
    total
        Number of all mistakes.
    title
        Should name data, split, model and order; the number shown is added.
    """
    count = min(len(images), MAX_SHOWN)
    title, width = counted(title, count, total), COLUMNS * STEP
    if not count:
        return empty_sheet(title, width * UNIT, "no mistakes")
    row, column = np.divmod(np.arange(count), COLUMNS)
    corners = np.column_stack([column * STEP, row * ROW + HEAD])
    with image_sheet(title, width, (row[-1] + 1) * ROW + LEGEND, UNIT) as (figure, sheet):
        for place, (x, y) in enumerate(corners):
            label, distribution = int(labels[place]), probabilities[place]
            predicted = int(distribution.argmax())
            sheet.place(images[place], x, y)
            sheet.write(x + 0.5, y + 1.04, f"#{index[place]}", fontsize=8, color=GRAY, ha="center", va="top")
            _write_head(sheet, x, y, f"true {label} ({distribution[label]:.2f})", BLUE)
            _write_head(sheet, x + BARS_X, y, f"predicted {predicted} ({distribution[predicted]:.2f})", RED)
        origins = corners + np.array([BARS_X, 1])
        _draw_grid(sheet, origins)
        _draw_bars(sheet.axes, origins, labels[:count], probabilities[:count])
        _draw_legend(sheet.axes)
    return figure


def _write_head(sheet: ImageSheet, x: float, y: float, text: str, color: str) -> None:
    sheet.write(x, y - 0.05, text, fontsize=9, color=color, fontweight="bold", va="bottom")


def _bar_centers() -> NDArray[np.float64]:
    return (np.arange(CLASSES) + 0.5) * BARS_WIDTH / CLASSES


def _draw_grid(sheet: ImageSheet, origins: NDArray[np.float64]) -> None:
    """Draw axes, grid lines and labels of the charts with their lower left corners at `origins`, (n, 2)."""
    from matplotlib.collections import LineCollection

    for ends, color, order in ((AXES, GRAY, 2), (GRID, PALE, 0.5)):
        lines = origins[:, None, None] + np.array(ends)
        sheet.axes.add_collection(
            LineCollection(lines.reshape(-1, 2, 2).tolist(), colors=color, linewidths=0.8, zorder=order), autolim=False
        )
    left, below = np.array([(-0.08, 0), (-0.08, -1)]), np.column_stack([_bar_centers(), np.full(CLASSES, 0.11)])
    for places in (left, below):
        labels = [str(number) for number in range(len(places))] * len(origins)
        write_numbers(sheet.axes, (origins[:, None] + places).reshape(-1, 2), labels)


def _draw_bars(
    axes: "Axes", origins: NDArray[np.float64], labels: NDArray[np.int64], probabilities: NDArray[np.float32]
) -> None:
    """Draw ten bars for each of n charts, as high as an image for a probability of 1."""
    from matplotlib.collections import PolyCollection

    half = BAR * BARS_WIDTH / CLASSES / 2
    left = origins[:, :1] + _bar_centers() - half
    lower = np.broadcast_to(origins[:, 1:], left.shape)
    edges = (left, left + 2 * half, lower, lower - probabilities)
    colors = np.full(left.shape, GRAY)
    charts = np.arange(len(labels))
    colors[charts, labels] = BLUE
    colors[charts, probabilities.argmax(axis=1)] = RED
    shapes = rectangles(*map(np.ravel, edges))
    axes.add_collection(PolyCollection(shapes, facecolors=colors.ravel().tolist(), linewidths=0), autolim=False)


def _draw_legend(axes: "Axes") -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(color=RED, label="probability of the predicted digit"),
        Patch(color=BLUE, label="of the true digit"),
    ]
    axes.legend(handles=handles, loc="lower left", ncols=2, borderaxespad=0)
