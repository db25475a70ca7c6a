"""Accuracy in source and target domains."""

import math
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figure_parts.cells import cell_text, head, heat_cells, lowest, mistake_shades
from experiments.reporting.figure_parts.layout import LABEL_LINE, Interval, lines_of, row_labels, spacious
from experiments.reporting.figure_parts.style import INK, notice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CELL, ROW = 1.3, 0.58  # inches, of a cell's width and least height
LABELS = 2.6  # inches, of the widest name of a row
DOMAIN_CHARACTERS = 17  # a line of a domain's name above its column
MISSING: Interval = (math.nan, math.nan, math.nan)


def transfer_matrix(accuracies: Mapping[str, Mapping[str, Interval]], title: str) -> "Figure":
    """Draw the accuracy of each network in each domain with 95 % intervals; the source domain is framed.

    The lower an accuracy, the deeper the color of its cell.

    Parameters
    ----------
    accuracies
        By network and domain: accuracy and the bounds of its interval, in [0, 1]. The name of a network ends in its
        source (``cnn on mnist``). Domains are in the order in which the networks first name them, and may be missing
        from some. May be empty.
    title
        Should name the alignment of the target's images.
    """
    domains = list(dict.fromkeys(domain for row in accuracies.values() for domain in row))
    labels, height = row_labels(accuracies)
    height = max(ROW, height)
    heads = [textwrap.fill(domain, DOMAIN_CHARACTERS) for domain in domains]
    width = max(6.5, LABELS + CELL * len(domains))
    note = _how_to_read(accuracies) if domains else ""
    with spacious(
        title, width, 1.0 + LABEL_LINE * max(map(lines_of, heads), default=1) + height * max(len(labels), 1), note
    ) as figure:
        if not domains:
            notice(figure, "no network was tested")
            return figure
        axes = figure.add_subplot()
        values = np.array([[row.get(domain, MISSING) for domain in domains] for row in accuracies.values()]) * 100
        heat_cells(axes, values[..., 0], mistake_shades(), (lowest(values[..., 0]), 100))
        for place, (name, row) in enumerate(zip(accuracies, values, strict=True)):
            _write_row(axes, place, row)
            _frame_own(axes, place, [name.endswith(f" on {domain}") for domain in domains])
        head(axes, heads, "tested on")
        axes.set_yticks(np.arange(len(labels)) + 0.5, labels)
    return figure


def _write_row(axes: "Axes", place: int, row: NDArray[np.float64]) -> None:
    for column, (value, low, high) in enumerate(row):
        if math.isnan(value):
            cell_text(axes, place, column, "not tested", fontsize=9)
            continue
        known = not math.isnan(low + high)
        cell_text(axes, place, column, f"{value:.2f}", above=6 * known, fontsize=11, fontweight="bold")
        if known:
            cell_text(axes, place, column, f"[{low:.2f}, {high:.2f}]", above=-9, fontsize=8)


def _frame_own(axes: "Axes", place: int, own: list[bool]) -> None:
    from matplotlib.patches import Rectangle

    for column in np.flatnonzero(own).tolist():
        box = Rectangle((column, place), 1, 1, fill=False, edgecolor=INK, linewidth=1.6, zorder=3, clip_on=False)
        axes.add_patch(box)


def _how_to_read(accuracies: Mapping[str, Mapping[str, Interval]]) -> str:
    own = any(name.endswith(f" on {domain}") for name, row in accuracies.items() for domain in row)
    framed = ", framed" if own else ""
    scale = "Accuracy in percent with its 95 % interval; the lower, the deeper the color."
    return f"{scale} Rows: a network and its own source{framed}."
