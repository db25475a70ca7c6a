"""Domain shift in a network's features, compared with its error in the target."""

import textwrap
from collections.abc import Mapping
from math import isnan, nan
from typing import TYPE_CHECKING

import numpy as np

from experiments.reporting.figure_parts.layout import in_percent, row_labels, spacious
from experiments.reporting.figure_parts.style import GRAY, INK, network_color, notice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL = 2.5  # inches, the width of a measure
LABELS, ROW = 2.4, 0.34  # inches, of the widest name and of the least height of a row
COLUMNS = 4
NETWORK_CHARACTERS = MEASURE_CHARACTERS = 24  # a line of a name


def shift_chart(rows: Mapping[str, Mapping[str, float]], title: str) -> "Figure":
    """Draw each measure of domain shift as a bar per network, sorted by the last measure.

    Parameters
    ----------
    rows
        By network and measure: distances of source and target in its features, and its error in the target, which
        comes last. Shares, which a measure's name tells (error or accuracy), are in [0, 1] and shown in percent.
        Measures may be missing from some networks; may be empty.
    title
        Should name source and target.
    """
    measures = list(dict.fromkeys(name for row in rows.values() for name in row))
    ordered = sorted(rows, key=lambda name: _rank(rows[name].get(measures[-1], nan))) if measures else []
    labels, height = row_labels(ordered, NETWORK_CHARACTERS)
    columns, deep = min(len(measures), COLUMNS), -(-len(measures) // COLUMNS)
    width = max(7.0, LABELS + PANEL * columns)
    note = f"Networks in the order of the last panel, {_spoken(measures[-1])}, the least on top." if measures else ""
    with spacious(title, width, max(deep, 1) * (0.8 + max(ROW, height) * max(len(rows), 1)), note) as figure:
        if not measures:
            notice(figure, "no shift was measured")
            return figure
        grid = figure.add_gridspec(deep, columns)
        for place, measure in enumerate(measures):
            axes = figure.add_subplot(grid[divmod(place, columns)])
            _draw(axes, measure, {name: rows[name].get(measure, nan) for name in ordered})
            axes.set_yticks(range(len(labels)), labels if place % columns == 0 else [""] * len(labels))
    return figure


def _rank(value: float) -> tuple[bool, float]:
    """Return a sort key: ascending, NaN last."""
    return (True, 0.0) if isnan(value) else (False, value)


def _draw(axes: "Axes", measure: str, values: Mapping[str, float]) -> None:
    shares = in_percent(measure, list(values.values()))
    lengths = np.array(list(values.values()), float) * (100 if shares else 1)
    axes.barh(range(len(lengths)), np.nan_to_num(lengths), height=0.66, color=[network_color(name) for name in values])
    for place, length in enumerate(lengths):
        missing = isnan(length)
        text = "not measured" if missing else f"{length:.2f}" if shares else f"{length:.3g}"
        axes.annotate(
            text.replace("-", "\N{MINUS SIGN}"), (0 if missing else max(length, 0), place), (4, 0),
            textcoords="offset points", va="center", fontsize=9, color=GRAY if missing else INK,
        )  # fmt: skip
    low, high = min(np.nanmin(lengths, initial=0), 0), max(np.nanmax(lengths, initial=0), 0)
    room = (high - low) or 1.0
    axes.set(xlim=(low - 0.05 * room * (low < 0), high + 0.62 * room), ylim=(len(lengths) - 0.5, -0.5))
    axes.axvline(0, color=GRAY, linewidth=1, zorder=3)
    head = _spoken(measure) + (" in percent" if shares else "")
    axes.set_title(textwrap.fill(head, MEASURE_CHARACTERS), loc="left")
    axes.locator_params(axis="x", nbins=3)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")


def _spoken(name: str) -> str:
    return name.replace("_", " ")
