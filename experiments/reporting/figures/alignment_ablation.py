"""Alignment ablation: accuracy with each alignment of the target's images."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figure_parts.layout import Interval, spacious
from experiments.reporting.figure_parts.style import network_color, notice
from experiments.transfer.alignments import DESKEW

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = "osD^vP*X<>ph"
BESIDE = 0.5  # of the distance between alignments, over which the networks are spread
NAME_LINE = 0.2  # inches, height of a network's name
FILLED = 2  # height of the axes relative to all names, so that these stay near their lines
KEYS = 1.04  # position of the markers of the names, in widths of the axes
BELOW = 0.75  # inches below the lines
NOTE = (
    "Bars: 95 % intervals; at each alignment the networks are spread, so that the bars can be told apart. The "
    "axis does not start at 0."
)
DESKEWED = " From deskew on it is a network of the same recipe, trained on deskewed digits."


class End(NamedTuple):
    """The end of a network's line."""

    name: str
    marker: str
    place: float
    value: float


def alignment_ablation(alignments: Mapping[str, Mapping[str, Interval]], title: str) -> "Figure":
    """Draw the accuracy with each alignment as a line per network, labeled at its end.

    Parameters
    ----------
    alignments
        By network and alignment: accuracy and the bounds of its 95 % interval, in [0, 1]. Alignments are in the order
        in which the networks first name them, and may be missing from some. May be empty.
    title
        Should name source and target.
    """
    known = {name: found for name, accuracies in alignments.items() if (found := _measured(accuracies))}
    order = list(dict.fromkeys(alignment for measured in alignments.values() for alignment in measured))
    height = max(4.2, BELOW + FILLED * NAME_LINE * len(known))
    note = NOTE + (DESKEWED if DESKEW in order else "") if known else ""
    with spacious(title, 9.5, height, note) as figure:
        if not known:
            notice(figure, "no network was tested")
            return figure
        axes = figure.add_subplot()
        step = min(0.07, BESIDE / len(known))
        ends = []
        for place, (name, measured) in enumerate(known.items()):
            beside = step * (place - (len(known) - 1) / 2)
            places = np.array([order.index(alignment) for alignment in measured]) + beside
            values = 100 * np.array(list(measured.values()))
            _draw_line(axes, places, values, network_color(name), MARKERS[place % len(MARKERS)])
            ends.append(End(name, MARKERS[place % len(MARKERS)], places[-1], values[-1, 0]))
        axes.set_xticks(range(len(order)), order)
        axes.set(xlabel="alignment of the target's images with the source's", ylabel="accuracy in percent")
        axes.set_xlim(-0.4, len(order) - 0.6)
        axes.grid(visible=False, axis="x")
        _name_lines(axes, ends, NAME_LINE / (height - BELOW))
    return figure


def _measured(alignments: Mapping[str, Interval]) -> dict[str, Interval]:
    return {name: interval for name, interval in alignments.items() if not math.isnan(interval[0])}


def _draw_line(axes: "Axes", places: NDArray[np.float64], values: NDArray[np.float64], color: str, mark: str) -> None:
    value, low, high = values.T
    axes.vlines(places, low, high, color=color, linewidth=2, alpha=0.45)
    axes.plot(places, value, color=color, marker=mark, markersize=6, linewidth=1.8, zorder=3)


def _name_lines(axes: "Axes", ends: Sequence[End], gap: float) -> None:
    """Write names and last accuracies on the right, close to the ends of their lines."""
    low, high = axes.get_ylim()
    ordered = sorted(ends, key=lambda end: end.value)
    places = _apart((np.array([end.value for end in ordered]) - low) / (high - low), gap)
    for end, place in zip(ordered, places, strict=True):
        color = network_color(end.name)
        axes.annotate(
            "", (end.place, end.value), (KEYS, place), textcoords="axes fraction", annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": color, "linewidth": 0.9, "shrinkA": 0, "shrinkB": 4},
        )  # fmt: skip
        axes.plot(KEYS, place, end.marker, color=color, markersize=6, transform=axes.transAxes, clip_on=False)
        name = f"{end.name}  {end.value:.2f}"
        axes.text(KEYS + 0.015, place, name, transform=axes.transAxes, va="center", fontsize=9)


def _apart(places: NDArray[np.float64], gap: float) -> NDArray[np.float64]:
    """Move ascending positions in [0, 1] as little as possible so that they are `gap` apart and in [0, 1]."""
    from scipy.optimize import isotonic_regression

    steps = gap * np.arange(len(places))
    return np.clip(isotonic_regression(places - steps).x, 0, max(1 - steps[-1], 0)) + steps
