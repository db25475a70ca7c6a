"""Reliability diagrams of several networks, one panel each."""

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.evaluation import Calibration
from experiments.reporting.figure_parts.layout import blank_sheet, lines_of, rectangles, spacious, write
from experiments.reporting.figure_parts.style import GRAY, INK, PALE, PALE_BLUE, RED, notice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

UNIT = 2.7  # inches, the side of a panel; other lengths are in sides of a panel
COLUMNS = 4
LEFT, GAP, BELOW = 0.2, 0.04, 0.16  # for the labels of both axes, and between panels
BETWEEN, COUNTS = 0.05, 0.25  # below a panel: space and height of the bars of counts
NAME_CHARACTERS, LINE = 33, 0.068
TICKS = (0.0, 0.5, 1.0)
NOTE = (
    "Bars: accuracy by confidence; hatched: the gap to the mean confidence; dashed: perfect calibration. Gray: the "
    "number of predictions, on a logarithmic scale. ECE: expected calibration error, MCE: maximum calibration error."
)


def reliability_panels(calibrations: Mapping[str, Calibration], title: str) -> "Figure":
    """Draw accuracy against confidence for each network, and the number of predictions per bin.

    Parameters
    ----------
    calibrations
        By network: accuracy by confidence. May be empty.
    title
        Should name data and split.
    """
    if not calibrations:
        with spacious(title, 8, 1.2) as figure:
            notice(figure, "no network was evaluated")
        return figure
    names = [textwrap.fill(name, NAME_CHARACTERS) for name in calibrations]
    head = LINE * (max(map(lines_of, names)) + 1) + 0.06
    columns, rows = min(COLUMNS, len(names)), -(-len(names) // COLUMNS)
    pitch = np.array([LEFT + 1 + GAP, head + 1 + BETWEEN + COUNTS + BELOW])
    width, height = pitch * (columns, rows)
    row, column = np.divmod(np.arange(len(names)), COLUMNS)
    origins = np.column_stack([column, row]) * pitch + (LEFT, head + 1)
    highest = max(int(found.counts.max()) for found in calibrations.values())
    with blank_sheet(title, width, height, UNIT, NOTE) as (figure, sheet):
        for (x, y), name, found in zip(origins, names, calibrations.values(), strict=True):
            _write_head(sheet, x, y - 1.03, name, found)
            _draw_gaps(sheet, x, y, found)
            _draw_counts(sheet, x, y + BETWEEN + COUNTS, found, highest)
    return figure


def _write_head(sheet: "Axes", x: float, y: float, name: str, found: Calibration) -> None:
    errors = f"ECE {100 * found.ece:.2f} %, MCE {100 * found.mce:.2f} %"
    write(sheet, x, y, errors, fontsize=9, va="bottom")
    write(sheet, x, y - LINE, name, fontsize=10, fontweight="bold", va="bottom")


def _draw_gaps(sheet: "Axes", x: float, y: float, found: Calibration) -> None:
    """Draw accuracies and gaps in the panel with its lower left corner at (x, y)."""
    filled = found.counts > 0
    left, right = x + found.edges[:-1][filled], x + found.edges[1:][filled]
    accuracy, confidence = y - found.accuracy[filled], y - found.confidence[filled]
    _draw_ticks(sheet, x, y, {f"{tick:g}": tick for tick in TICKS})
    _draw_bars(sheet, left, right, np.full(len(left), y), accuracy, facecolors=PALE_BLUE, edgecolors="white")
    _draw_bars(sheet, left, right, accuracy, confidence, facecolors="none", edgecolors=RED, hatch="////")
    sheet.plot([x, x + 1], [y, y - 1], color=INK, linestyle="dashed", linewidth=1.2)


def _draw_counts(sheet: "Axes", x: float, y: float, found: Calibration, highest: int) -> None:
    """Draw the numbers of predictions, up to `highest`, above (x, y); a single one is visible."""

    def height(counts: Any) -> Any:
        return COUNTS * np.log10(2 * np.maximum(counts, 0.5)) / np.log10(2 * highest)

    _draw_ticks(sheet, x, y, {f"{highest:,}": height(highest)})
    top = y - height(found.counts)
    left, right = x + found.edges[:-1], x + found.edges[1:]
    _draw_bars(sheet, left, right, np.full(len(top), y), top, facecolors=GRAY, edgecolors="white")
    for tick in TICKS:
        write(sheet, x + tick, y + 0.02, f"{tick:g}", fontsize=8, ha="center", va="top")


def _draw_ticks(sheet: "Axes", x: float, y: float, heights: Mapping[str, float]) -> None:
    """Draw the base line and a labeled line at each height."""
    sheet.plot([x, x + 1], [y, y], color=GRAY, linewidth=0.8, zorder=2)
    for text, height in heights.items():
        sheet.plot([x, x + 1], [y - height, y - height], color=PALE, linewidth=0.8, zorder=0.5)
        write(sheet, x - 0.02, y - height, text, fontsize=8, ha="right", va="center")


def _draw_bars(sheet: "Axes", *edges: NDArray[np.float64], **style: Any) -> None:
    """Draw bars between left, right, lower and upper edges, each (n,)."""
    from matplotlib.collections import PolyCollection

    sheet.add_collection(PolyCollection(rectangles(*edges), linewidths=0.8, **style), autolim=False)
