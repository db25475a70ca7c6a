"""Accuracy after few-shot learning in the target domain."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figure_parts.layout import spacious
from experiments.reporting.figure_parts.style import BLUE, INK, ORANGE, notice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ALL_IS_FARTHER = 4  # factor on the log scale from the last number to `all`
APART = 1.03  # factor on the log scale between the dots of the two curves


def few_shot_curves(
    ks: Sequence[int | Literal["all"]],
    fine_tuned: NDArray[np.float64],
    scratch: NDArray[np.float64],
    zero_shot: float,
    title: str,
) -> "Figure":
    """Draw accuracy against the number of labeled digits, fine-tuned from the source and trained from scratch.

    Parameters
    ----------
    ks
        Labeled digits of each class, at least 1 and ascending; the last may be ``all``. May be empty.
    fine_tuned, scratch
        Accuracies in [0, 1], (k, seeds): of the source's network trained on, and of one trained on the target alone;
        nan where there is none.
    zero_shot
        Accuracy in [0, 1] of the source's network without a labeled digit.
    title
        Should name network, source and target.
    """
    seeds = max(fine_tuned.shape[-1], scratch.shape[-1]) if ks else 0
    with spacious(title, 8.5, 4.6, _how_to_read(seeds) if ks else "") as figure:
        if not ks:
            notice(figure, "no labeled digits were used")
            return figure
        axes = figure.add_subplot()
        axes.set_xscale("log")
        places = _places(ks)
        _draw(axes, places / APART, fine_tuned, "from the source's weights", BLUE, "o")
        _draw(axes, places * APART, scratch, "from scratch", ORANGE, "s")
        if not np.isnan(zero_shot):
            label = f"no labeled digits: {100 * zero_shot:.2f} %"
            axes.axhline(100 * zero_shot, color=INK, linestyle="dashed", linewidth=1.2, zorder=2, label=label)
        _mark_counts(axes, ks, places)
        axes.set(xlabel="labeled digits of each class of the target (log scale)", ylabel="accuracy in percent")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2, handlelength=2.4)
    return figure


def _places(ks: Sequence[int | Literal["all"]]) -> NDArray[np.float64]:
    numbers = [k for k in ks if k != "all"]
    return np.array([*numbers, *([ALL_IS_FARTHER * max(numbers, default=1)] if "all" in ks else [])], float)


def _draw(
    axes: "Axes", places: NDArray[np.float64], values: NDArray[np.float64], label: str, color: str, mark: str
) -> None:
    """Draw the mean, a band from the lowest to the highest seed, and the seeds as faint dots."""
    measured = ~np.isnan(values).all(axis=1)
    x, shown = places[measured], 100 * values[measured]
    axes.plot(x, np.nanmean(shown, axis=1), mark, ls="-", color=color, markersize=6, linewidth=2, zorder=4, label=label)
    if values.shape[1] > 1:
        ends = np.nanmin(shown, axis=1), np.nanmax(shown, axis=1)
        axes.fill_between(x, *ends, color=color, alpha=0.18, linewidth=0)
        dots = np.repeat(x, values.shape[1])
        axes.scatter(dots, shown.ravel(), s=12, color=color, alpha=0.5, linewidths=0, zorder=3)


def _mark_counts(axes: "Axes", ks: Sequence[int | Literal["all"]], places: NDArray[np.float64]) -> None:
    """Label every count, and separate `all`, which is not on the scale."""
    from matplotlib.ticker import NullLocator

    axes.set_xticks(places, [k if k == "all" else f"{k:,}" for k in ks])
    axes.xaxis.set_minor_locator(NullLocator())
    room = 1.5 if len(places) > 1 else 5
    axes.set_xlim(places[0] / room, places[-1] * room)
    if len(ks) > 1 and ks[-1] == "all":
        axes.axvline(np.sqrt(places[-2] * places[-1]), color=INK, linestyle="dotted", linewidth=1, zorder=1)


def _how_to_read(seeds: int) -> str:
    if seeds == 1:
        return "One seed: the accuracy may owe more to which digits were drawn than to how many."
    return f"Line: mean of {seeds} seeds; band: from the lowest to the highest; faint dots: the seeds."
