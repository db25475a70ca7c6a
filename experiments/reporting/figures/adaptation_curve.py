"""Curves of an adaptation."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from experiments.reporting.figure_parts.layout import LABEL_LINE, in_percent, spacious
from experiments.reporting.figure_parts.style import BLUE, ORANGE, notice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL_WIDTH, PANEL_HEIGHT = 4.0, 2.2  # inches, without a panel's title
COLUMNS = 3
MARKED = 60  # maximum number of values that are drawn with markers
SPACE = "\N{NO-BREAK SPACE}"
ARROW = f"{SPACE}\N{RIGHTWARDS ARROW}{SPACE}"
CHARACTERS = 40  # a line of a panel's title

Panel = tuple[str, str, Sequence[float]]  # method, series and its values


def adaptation_curve(
    curves: Mapping[str, Mapping[str, Sequence[float]]],
    title: str,
    unit: str = "epoch",
    first: int = 1,
) -> "Figure":
    """Draw each measure of each adaptation method by epoch or step, one panel each.

    Parameters
    ----------
    curves
        By method and series: a value for each epoch or step, or NaN. Proportions, recognized by their name (with the
        word share, accuracy, error, recall, confident or pseudo-labelled), are in [0, 1] and shown in percent.
        May be empty, as may be the series of a method.
    title
        Should name network, source and target.
    unit
        Unit of the x axis.
    first
        Number of the first value: 0 if it is the state before adaptation.
    """
    rows = _rows(curves)
    columns = max(map(len, rows), default=1)
    height = sum(PANEL_HEIGHT + LABEL_LINE * max(len(_head(panel)) for panel in row) for row in rows)
    with spacious(title, max(7.0, PANEL_WIDTH * columns), height or PANEL_HEIGHT) as figure:
        if not rows:
            notice(figure, "no method left a curve")
            return figure
        grid = figure.add_gridspec(len(rows), columns)
        for row, panels in enumerate(rows):
            for column, panel in enumerate(panels):
                _draw(figure.add_subplot(grid[row, column]), panel, unit, first)
    return figure


def _rows(curves: Mapping[str, Mapping[str, Sequence[float]]]) -> list[list[Panel]]:
    """Arrange the panels in rows: one row per method, unless every method has a single panel."""
    methods = [[(method, name, values) for name, values in series.items()] for method, series in curves.items()]
    if all(len(panels) <= 1 for panels in methods):
        methods = [[panel for panels in methods for panel in panels]]
    return [panels[i : i + COLUMNS] for panels in methods for i in range(0, len(panels), COLUMNS)]


def _head(panel: Panel) -> list[str]:
    """Return the lines of a panel's title: method, series, first and last value."""
    method, name, values = panel
    factor, unit = (100, f"{SPACE}%") if in_percent(name, values) else (1, "")
    known = [f"{factor * value:.3g}".replace("-", "\N{MINUS SIGN}") for value in values if not math.isnan(value)]
    course = ARROW.join(known if len(known) < 2 else [known[0], known[-1]]) + unit if known else "no values"
    spoken = name.replace("_", " ")
    return textwrap.wrap(method, CHARACTERS) + textwrap.wrap(f"{spoken}: {course}", CHARACTERS)


def _draw(axes: "Axes", panel: Panel, unit: str, first: int) -> None:
    from matplotlib.ticker import MaxNLocator

    _, name, values = panel
    shares = in_percent(name, values)
    axes.plot(
        range(first, len(values) + first), np.array(values, float) * (100 if shares else 1),
        color=ORANGE if shares else BLUE, marker="o" if len(values) <= MARKED else "", markersize=4,
        clip_on=all(map(math.isnan, values)), zorder=3,
    )  # fmt: skip
    axes.set_title("\n".join(_head(panel)), loc="left")
    axes.set(xlabel=unit, xlim=(first - 0.5, max(len(values), 1) + first - 0.5))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
    if shares:
        axes.set(ylim=(0, 100), yticks=range(0, 101, 25))
