"""Confusion matrices of several networks, one panel each."""

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import CLASSES
from experiments.reporting.figure_parts.confusion_cells import (
    cell_texts,
    confusion_shades,
    highest_mistake,
    percentages,
)
from experiments.reporting.figure_parts.layout import blank_sheet, lines_of, spacious, write, write_numbers
from experiments.reporting.figure_parts.style import PALE, notice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

UNIT = 0.36  # inches, the side of a cell; other lengths are in sides of a cell
COLUMNS = 4
LEFT, BELOW, GAP = 1, 1, 1  # beside and below the cells of a panel, for the digits, and between panels
NAME_CHARACTERS, NAME_LINE = 38, 0.5
NOTE = (
    "Percent of the images of each true digit (row) that are taken for each digit (column). Only mistakes are colored: "
    "the deepest red, the same in all panels, is {:.1f} %."
)


def confusion_panels(matrices: Mapping[str, NDArray[np.int64]], title: str) -> "Figure":
    """Draw the confusion matrix of each network in percent of the images of each true digit.

    Only mistakes are colored, on one scale; the diagonal is gray.

    Parameters
    ----------
    matrices
        By network: counts (10, 10), rows are true digits, columns predicted ones. May be empty.
    title
        Should name data and split.
    """
    if not matrices:
        with spacious(title, 8, 1.2) as figure:
            notice(figure, "no network was evaluated")
        return figure
    values = np.stack([percentages(confusion) for confusion in matrices.values()])
    names = [textwrap.fill(name, NAME_CHARACTERS) for name in matrices]
    head = int(np.ceil(NAME_LINE * max(map(lines_of, names)) + 0.3))
    columns, rows = min(COLUMNS, len(names)), -(-len(names) // COLUMNS)
    pitch = np.array([LEFT + CLASSES + GAP, head + CLASSES + BELOW])
    row, column = np.divmod(np.arange(len(names)), COLUMNS)
    corners = np.column_stack([column, row]) * pitch + (LEFT, head)
    width, height = np.array([columns, rows]) * pitch
    highest = highest_mistake(values)
    with blank_sheet(title, width, height, UNIT, NOTE.format(highest)) as (figure, sheet):
        cells = _cells(corners)
        _color_cells(sheet, cells, values / highest)
        _write_percentages(sheet, cells, values)
        _write_digits(sheet, cells)
        for (x, y), name in zip(corners, names, strict=True):
            write(sheet, x, y - 0.25, name, fontsize=10, fontweight="bold", va="bottom")
    return figure


def _cells(corners: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the upper left corners of the cells of n panels, (n, 10, 10, 2)."""
    down, across = np.mgrid[:CLASSES, :CLASSES]
    return corners[:, None, None] + np.stack([across, down], axis=-1)


def _color_cells(sheet: "Axes", cells: NDArray[np.int64], values: NDArray[np.float64]) -> None:
    """Color the cells by values in [0, 1], (n, 10, 10), with lines between them."""
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_rgba

    colors = confusion_shades()(values)
    colors[:, np.eye(CLASSES, dtype=bool)] = to_rgba(PALE)
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    vertices = (cells[..., None, :] + square).reshape(-1, 4, 2)
    squares = PolyCollection(vertices, facecolors=colors.reshape(-1, 4), edgecolors=PALE, linewidths=1)
    sheet.add_collection(squares, autolim=False)


def _write_percentages(sheet: "Axes", cells: NDArray[np.int64], values: NDArray[np.float64]) -> None:
    texts = np.array([cell_texts(panel) for panel in values])
    shown = texts != ""
    write_numbers(sheet, cells[shown] + 0.5, texts[shown].tolist(), color="black")


def _write_digits(sheet: "Axes", cells: NDArray[np.int64]) -> None:
    """Write the true digits on the left of the panels, and the predicted ones below."""
    left, below = cells[:, :, 0] + (-0.45, 0.5), cells[:, -1] + (0.5, 1.45)
    digits = [str(digit) for digit in range(CLASSES)] * len(cells)
    for places in (left, below):
        write_numbers(sheet, places.reshape(-1, 2), digits)
