"""Comparison of accuracies on the same images."""

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from experiments.reporting.figure_parts.layout import Interval
from experiments.reporting.figure_parts.style import network_color, themed_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LABEL_CHARACTERS = 32  # a line of a name beside its row; three lines fit


def model_comparison(accuracies: Mapping[str, Interval], title: str) -> "Figure":
    """Draw the accuracy of each model as a point with its 95 % interval, the best model on top.

    The axis spans the intervals and no more, so that differences show: it does not start at 0.

    Parameters
    ----------
    accuracies
        By model: accuracy and the bounds of its interval, in [0, 1]; at least one.
    title
        Should name data and split.
    """
    ranked = sorted(accuracies.items(), key=lambda row: row[1][0])
    with themed_figure(title, 9, 1.6 + 0.42 * len(ranked)) as figure:
        axes = figure.add_subplot()
        for place, (name, interval) in enumerate(ranked):
            _draw_row(axes, place, network_color(name), interval)
        axes.set_yticks(range(len(ranked)), [textwrap.fill(name, LABEL_CHARACTERS) for name, _ in ranked])
        axes.set(xlabel="accuracy in percent, with 95 % Wilson interval", ylim=(-0.6, len(ranked) - 0.4))
        axes.grid(visible=False, axis="y")
        axes.margins(x=0.08)
    return figure


def _draw_row(axes: "Axes", place: int, color: str, interval: Interval) -> None:
    value, low, high = 100 * np.array(interval)
    axes.errorbar(
        value, place, xerr=[[value - low], [high - value]],
        fmt="o", color=color, markersize=8, linewidth=2.5, capsize=5, capthick=2,
    )  # fmt: skip
    text = f"{value:.2f}  [{low:.2f}, {high:.2f}]"
    axes.text(1.02, place, text, transform=axes.get_yaxis_transform(), va="center", fontsize=9)
