"""What each step of normalising the target's images brings."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figures.layout import Interval, spacious
from experiments.reporting.figures.style import network_color, notice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = "osD^vP*X<>ph"
BESIDE = 0.5  # of the way from a rung to the next, over which the networks stand beside each other
NAME_LINE = 0.2  # inches, of a network's name at the end of its line
FILLED = 2  # times as high as all names together, so that they stay near their lines
KEYS = 1.04  # where the markers of the names stand, in widths of the axes
BELOW = 0.75  # inches, of what stands below the lines
NOTE = (
    "Bars: 95 % intervals; at each rung the networks stand beside each other, so that these can be told apart. The "
    "axis does not start at 0."
)
DESKEW = "deskew"
DESKEWED = " From deskew on it is a network of the same recipe, trained on deskewed digits."


class End(NamedTuple):
    """Where the line of a network ends."""

    name: str
    marker: str
    place: float
    value: float


def alignment_ablation(ladders: Mapping[str, Mapping[str, Interval]], title: str) -> "Figure":
    """Return the accuracy on each rung as a line for each network, named at its end.

    Parameters
    ----------
    ladders
        By network and rung: accuracy and the ends of its 95 % interval, in [0, 1]. Rungs stand in the order in which
        the networks first name them, and may be missing from some. May be empty.
    title
        Says source and target.
    """
    known = {name: _measured(ladder) for name, ladder in ladders.items() if _measured(ladder)}
    rungs = list(dict.fromkeys(rung for ladder in ladders.values() for rung in ladder))
    height = max(4.2, BELOW + FILLED * NAME_LINE * len(known))
    note = NOTE + (DESKEWED if DESKEW in rungs else "") if known else ""
    with spacious(title, 9.5, height, note) as figure:
        if not known:
            notice(figure, "no network was tested")
            return figure
        axes = figure.add_subplot()
        step = min(0.07, BESIDE / len(known))
        ends = []
        for place, (name, ladder) in enumerate(known.items()):
            beside = step * (place - (len(known) - 1) / 2)
            places = np.array([rungs.index(rung) for rung in ladder]) + beside
            values = 100 * np.array(list(ladder.values()))
            _draw_line(axes, places, values, network_color(name), MARKERS[place % len(MARKERS)])
            ends.append(End(name, MARKERS[place % len(MARKERS)], places[-1], values[-1, 0]))
        axes.set_xticks(range(len(rungs)), rungs)
        axes.set(xlabel="alignment of the target's images with the source's", ylabel="accuracy in per cent")
        axes.set_xlim(-0.4, len(rungs) - 0.6)
        axes.grid(visible=False, axis="x")
        _name_lines(axes, ends, NAME_LINE / (height - BELOW))
    return figure


def _measured(ladder: Mapping[str, Interval]) -> dict[str, Interval]:
    return {rung: interval for rung, interval in ladder.items() if not math.isnan(interval[0])}


def _draw_line(axes: "Axes", places: NDArray[np.float64], values: NDArray[np.float64], color: str, mark: str) -> None:
    value, low, high = values.T
    axes.vlines(places, low, high, color=color, linewidth=2, alpha=0.45)
    axes.plot(places, value, color=color, marker=mark, markersize=6, linewidth=1.8, zorder=3)


def _name_lines(axes: "Axes", ends: Sequence[End], gap: float) -> None:
    """Write names and last accuracies to the right, as near to the ends of their lines as they fit."""
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
    """Return ascending places in [0, 1], moved as little as keeps them `gap` apart and in [0, 1]."""
    from scipy.optimize import isotonic_regression

    steps = gap * np.arange(len(places))
    return np.clip(isotonic_regression(places - steps).x, 0, max(1 - steps[-1], 0)) + steps
