"""What accuracy costs: each network a point, its name beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from experiments.reporting.style import drawing, network_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

# Where a name may stand from its point, in points, the first choice first.
PLACES = ((9, 0), (-9, 0), (0, 10), (0, -10), (9, 10), (9, -10), (-9, 10), (-9, -10), (0, 21), (0, -21))
POINT = 7  # half the side, in pixels at the figure's resolution, of what a marker covers


@dataclass(frozen=True)
class Cost:
    """A network's cost, above 0, and its accuracy with the ends of its 95 % interval, in [0, 1]."""

    cost: float
    accuracy: float
    low: float
    high: float


def trade_off(networks: Mapping[str, Cost], cost: str, title: str) -> "Figure":
    """Return accuracy with its 95 % interval against a cost on a logarithmic axis.

    Parameters
    ----------
    networks
        By name; at least one.
    cost
        Names the axis.
    title
        Says data and split.
    """
    with drawing(title, 5.6, 4.4) as figure:
        axes = figure.add_subplot(xscale="log")
        for name, one in networks.items():
            value, low, high = 100 * one.accuracy, 100 * one.low, 100 * one.high
            axes.errorbar(
                one.cost, value, yerr=[[value - low], [high - value]],
                fmt="o", color=network_colour(name), markersize=8, linewidth=1.6, capsize=3, zorder=3,
            )  # fmt: skip
        axes.set(xlabel=cost, ylabel="accuracy in per cent, 95 % interval")
        axes.margins(x=0.16, y=0.1)
        axes.grid(visible=False, axis="x", which="both")
        _write_ticks(axes, [one.cost for one in networks.values()])
        figure.draw_without_rendering()  # places and sizes are known only then
        _write_names(axes, networks)
    return figure


def _write_ticks(axes: "Axes", costs: Sequence[float]) -> None:
    """Put numbers at 1, 2 and 5 of each power of ten where the costs span too few powers to tell."""
    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    few = max(costs) / min(costs) < 100
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,)))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _write_names(axes: "Axes", networks: Mapping[str, Cost]) -> None:
    """Write each name at the first place that is free, most accurate first; where none is, at the first."""
    from matplotlib.transforms import Bbox

    spots = {name: axes.transData.transform((one.cost, 100 * one.accuracy)) for name, one in networks.items()}
    taken = [Bbox([spot - POINT, spot + POINT]) for spot in spots.values()]
    frame = axes.get_window_extent()
    for name, one in sorted(networks.items(), key=lambda item: -item[1].accuracy):
        boxes = []
        for place in PLACES:
            text = _name(axes, name, one, place)
            box = text.get_window_extent()
            if _inside(box, frame) and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            boxes.append(box)
            text.remove()
        else:
            taken.append(boxes[0])
            _name(axes, name, one, PLACES[0])


def _name(axes: "Axes", name: str, one: Cost, place: tuple[int, int]) -> "Annotation":
    x, y = np.sign(place)
    return axes.annotate(
        name, (one.cost, 100 * one.accuracy), xytext=place, textcoords="offset points", fontsize=9.5,
        ha={1: "left", 0: "center", -1: "right"}[int(x)], va={1: "bottom", 0: "center", -1: "top"}[int(y)],
        annotation_clip=False,
    )  # fmt: skip


def _inside(box: "Bbox", frame: "Bbox") -> bool:
    return bool(box.x0 >= frame.x0 and box.x1 <= frame.x1 and box.y0 >= frame.y0 and box.y1 <= frame.y1)
