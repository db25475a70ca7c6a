"""Learning curves of several networks in one figure."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from experiments.reporting.figure_parts.style import GRAY, network_color, themed_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SEEN = 12  # percent of the lowest values that the axis may leave out: those of the first epochs
NAME_HEIGHT = 0.052  # of the axes' height


def learning_curves(curves: Mapping[str, Sequence[float]], title: str) -> "Figure":
    """Draw the validation accuracy of each network by epoch, labeled at the end of its line.

    The axis leaves out the first steep epochs, so that the ends can be distinguished.

    Parameters
    ----------
    curves
        By network, the accuracy in [0, 1] after each epoch, from the first; at least one value each.
    title
        Should name the data.
    """
    from matplotlib.ticker import MaxNLocator

    with themed_figure(title, 8.2, 4.6) as figure:
        axes = figure.add_subplot()
        for name, values in curves.items():
            epochs, color = range(1, len(values) + 1), network_color(name)
            axes.plot(epochs, 100 * np.array(values), color=color, marker="o", markersize=3.5, linewidth=1.8)
        everything = 100 * np.concatenate(list(curves.values()))
        lowest, highest = np.percentile(everything, SEEN), everything.max()
        space = max(highest - lowest, 0.1) * 0.06
        axes.set_ylim(lowest - space, min(highest + space, 100 + space))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.set(xlabel="epoch", ylabel="validation accuracy in percent")
        _write_names(axes, curves)
    return figure


def _write_names(axes: "Axes", curves: Mapping[str, Sequence[float]]) -> None:
    """Write the names to the right of the axes, each close to the end of its line."""
    ends = {name: (len(values), values[-1]) for name, values in curves.items()}
    low, high = axes.get_ylim()
    order = sorted(ends, key=lambda name: ends[name][1])
    heights = spread([(100 * ends[name][1] - low) / (high - low) for name in order], NAME_HEIGHT)
    above = max(heights[-1] - 1, 0)
    for name, height in zip(order, [height - above for height in heights], strict=True):
        epoch, value = ends[name]
        axes.annotate(
            name, (epoch, max(100 * value, low)), xytext=(1.03, height), textcoords="axes fraction", va="center",
            fontsize=9.5, annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": GRAY, "linewidth": 0.6, "shrinkA": 1, "shrinkB": 4},
        )  # fmt: skip


def spread(places: Sequence[float], apart: float) -> list[float]:
    """Move ascending positions so that neighbors are `apart`, close to where they were.

    Examples
    --------
    >>> spread([0.0, 0.5, 0.5], 0.25)
    [0.0, 0.375, 0.625]
    """
    groups: list[tuple[float, int]] = []  # center and size of each run of neighbors that touch
    for place in places:
        center, size = place, 1
        while groups and center - apart * (size - 1) / 2 < groups[-1][0] + apart * (groups[-1][1] + 1) / 2:
            other, count = groups.pop()
            center, size = (center * size + other * count) / (size + count), size + count
        groups.append((center, size))
    return [center + apart * (i - (size - 1) / 2) for center, size in groups for i in range(size)]
