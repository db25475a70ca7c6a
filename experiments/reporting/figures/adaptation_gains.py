"""Gains of adaptation methods."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.reporting.figure_parts.layout import Interval, row_labels, signed, spacious
from experiments.reporting.figure_parts.style import GRAY, INK, network_color, notice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW, BETWEEN = 0.3, 0.1  # inches, minimum height of a method, and space between networks
NOTE = (
    "Empty circle: before; full circle: after adaptation, with its 95 % interval; dotted where it made things worse. "
    "The axis does not start at 0."
)


@dataclass(frozen=True)
class Gain:
    """Accuracies of a network in the target domain, in [0, 1], before and after it was adapted by a method."""

    network: str
    method: str
    before: float
    after: Interval


def adaptation_gains(rows: Sequence[Gain], title: str) -> "Figure":
    """Draw the accuracy before and after each adaptation method as a row with two circles, grouped by network.

    Parameters
    ----------
    rows
        Networks and methods keep their order; may be empty.
    title
        Should name source and target.
    """
    groups = {row.network: [one for one in rows if one.network == row.network] for row in rows}
    with spacious(title, 10, 1.1 + (_height(groups) if rows else ROW), NOTE if rows else "") as figure:
        if not rows:
            notice(figure, "no method of adaptation was tried")
            return figure
        axes = figure.add_subplot()
        ticks: list[tuple[float, str, str]] = []
        top = 0.0  # in inches, of the next row
        for network, group in groups.items():
            label, height = _line(network)
            ticks.append((top + height / 2, label, "bold"))
            top += height
            for row in group:
                label, height = _line(row.method)
                ticks.append((top + height / 2, label, "normal"))
                _draw_row(axes, top + height / 2, row)
                top += height
            top += BETWEEN
        axes.set_yticks([place for place, *_ in ticks], [label for _, label, _ in ticks])
        for tick, (*_, weight) in zip(axes.get_yticklabels(), ticks, strict=True):
            tick.set_fontweight(weight)
        axes.set(xlabel="accuracy on the target in percent", ylim=(top - BETWEEN / 2, 0))
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False, axis="y")
        axes.margins(x=0.06)
        axes.text(
            1.02, 1.0, "before \N{RIGHTWARDS ARROW} after, points  [95 % interval of after]",
            transform=axes.transAxes, va="bottom", fontsize=9, color=GRAY,
        )  # fmt: skip
    return figure


def _line(name: str) -> tuple[str, float]:
    """Return the wrapped label of a row and its height in inches."""
    (label,), height = row_labels([name])
    return label, max(height, ROW)


def _height(groups: Mapping[str, Sequence[Gain]]) -> float:
    return sum(
        BETWEEN + sum(_line(name)[1] for name in (network, *(row.method for row in group)))
        for network, group in groups.items()
    )


def _draw_row(axes: "Axes", place: float, row: Gain) -> None:
    color = network_color(row.network)
    before, (after, low, high) = 100 * row.before, (100 * end for end in row.after)
    axes.plot(
        [before, after], [place, place],
        color=color, linewidth=2.5, linestyle="dotted" if after < before else "solid", zorder=2,
    )  # fmt: skip
    if not math.isnan(low + high):
        axes.plot([low, high], [place, place], "|-", color=INK, linewidth=1, markersize=7, zorder=3)
    axes.plot(before, place, "o", markerfacecolor="white", color=color, markersize=8, markeredgewidth=2, zorder=4)
    axes.plot(after, place, "o", color=color, markersize=8, zorder=5)
    text = _in_numbers(before, after, low, high)
    axes.text(1.02, place, text, transform=axes.get_yaxis_transform(), va="center", fontsize=9)


def _in_numbers(before: float, after: float, low: float, high: float) -> str:
    known = [f"{value:.2f}" if not math.isnan(value) else "?" for value in (before, after)]
    change = after - before
    gain = f", {signed(change, 2)}" if not math.isnan(change) else ""
    interval = f"  [{low:.2f}, {high:.2f}]" if not math.isnan(low + high) else ""
    return " \N{RIGHTWARDS ARROW} ".join(known) + gain + interval
