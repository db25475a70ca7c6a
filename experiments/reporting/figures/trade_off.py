"""Accuracy against a cost, one point per network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from experiments.reporting.figure_parts.style import network_color, themed_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

# Offsets of a name from its point, in points, in order of preference.
PLACES = ((9, 0), (-9, 0), (0, 10), (0, -10), (9, 10), (9, -10), (-9, 10), (-9, -10), (0, 21), (0, -21))
ROOM, LEAST_ROOM = 0.2, 1.4  # beyond the outermost costs: a power of their ratio, and at least a factor
POINT = 7  # half the side of a marker, in pixels at the figure's resolution


@dataclass(frozen=True)
class NetworkCost:
    """A network's cost, above 0, and its accuracy with the bounds of its 95 % interval, in [0, 1]."""

    cost: float
    accuracy: float
    low: float
    high: float


def trade_off(networks: Mapping[str, NetworkCost], cost: str, title: str) -> "Figure":
    """Draw the accuracy of each network with its 95 % interval against a cost on a logarithmic axis.

    Parameters
    ----------
    networks
        By name; at least one.
    cost
        Names the axis.
    title
        Should name data and split.
    """
    with themed_figure(title, 5.6, 4.4) as figure:
        axes = figure.add_subplot(xscale="log")
        for name, one in networks.items():
            value, low, high = 100 * one.accuracy, 100 * one.low, 100 * one.high
            axes.errorbar(
                one.cost, value, yerr=[[value - low], [high - value]],
                fmt="o", color=network_color(name), markersize=8, linewidth=1.6, capsize=3, zorder=3,
            )  # fmt: skip
        costs = [one.cost for one in networks.values()]
        room = max((max(costs) / min(costs)) ** ROOM, LEAST_ROOM)
        axes.set(xlabel=cost, ylabel="accuracy in percent, 95 % interval", xlim=(min(costs) / room, max(costs) * room))
        axes.margins(y=0.1)
        axes.grid(visible=False, axis="x", which="both")
        _write_ticks(axes, costs)
        figure.draw_without_rendering()  # positions and sizes are known only after drawing
        _write_names(axes, networks)
    return figure


def _write_ticks(axes: "Axes", costs: Sequence[float]) -> None:
    """Label 1, 2 and 5 times each power of ten if the costs span less than two powers."""
    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    few = max(costs) / min(costs) < 100
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,)))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _write_names(axes: "Axes", networks: Mapping[str, NetworkCost]) -> None:
    """Write each name, the most accurate first, where it overlaps fewest points, intervals and other names."""
    from matplotlib.transforms import Bbox

    frame, taken = axes.get_window_extent(), list[Bbox]()
    for one in networks.values():
        (x, low), (_, y), (_, high) = axes.transData.transform(
            [(one.cost, 100 * value) for value in (one.low, one.accuracy, one.high)]
        )
        taken += [Bbox([[x - POINT, y - POINT], [x + POINT, y + POINT]]), Bbox([[x - 1, low], [x + 1, high]])]
    for name, one in sorted(networks.items(), key=lambda item: -item[1].accuracy):
        texts = [_name(axes, name, one, place) for place in PLACES]
        boxes = [text.get_window_extent() for text in texts]
        covered = [sum(box.overlaps(other) for other in taken) + 100 * (not _inside(box, frame)) for box in boxes]
        best = covered.index(min(covered))
        taken.append(boxes[best])
        for text in texts[:best] + texts[best + 1 :]:
            text.remove()


def _name(axes: "Axes", name: str, one: NetworkCost, place: tuple[int, int]) -> "Annotation":
    x, y = np.sign(place)
    return axes.annotate(
        name, (one.cost, 100 * one.accuracy), xytext=place, textcoords="offset points", fontsize=9.5,
        ha={1: "left", 0: "center", -1: "right"}[int(x)], va={1: "bottom", 0: "center", -1: "top"}[int(y)],
        annotation_clip=False,
    )  # fmt: skip


def _inside(box: "Bbox", frame: "Bbox") -> bool:
    return bool(box.x0 >= frame.x0 and box.x1 <= frame.x1 and box.y0 >= frame.y0 and box.y1 <= frame.y1)
