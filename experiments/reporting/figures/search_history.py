"""History of a hyperparameter search."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from experiments.reporting.figure_parts.hyperparameters import VALUE, focus
from experiments.reporting.figure_parts.style import BLUE, GRAY, ORANGE, themed_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Points = Sequence[tuple[int, float]]  # number of a trial and its value


def search_history(complete: Points, pruned: Points, title: str) -> "Figure":
    """Draw the value of each trial in order, and the best so far.

    Parameters
    ----------
    complete, pruned
        Number and value of each complete trial, and number and best value of each pruned one; may be empty.
    title
        Should name the study.
    """
    from matplotlib.ticker import MaxNLocator

    with themed_figure(title, 8, 4) as figure:
        axes = figure.add_subplot()
        stopped, reached = _columns(pruned)
        if pruned:
            axes.plot(stopped, reached, "x", color=GRAY, label="pruned, best epoch until then")
        numbers, values = _columns(complete)
        axes.plot(numbers, values, "o", color=BLUE, label="complete")
        if complete:
            axes.step(numbers, np.maximum.accumulate(values), color=ORANGE, where="post", label="best so far", zorder=1)
            focus(axes, values)
            hidden = int((np.concatenate([values, reached]) < axes.get_ylim()[0]).sum())
            if hidden:
                axes.text(0.99, 0.02, f"trials below: {hidden}", transform=axes.transAxes, ha="right", color=GRAY)
        axes.set(xlabel="trial", ylabel=VALUE)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.legend(loc="outside lower left", ncols=3)
    return figure


def _columns(points: Points) -> tuple[list[int], "np.ndarray[tuple[int], np.dtype[np.float64]]"]:
    return [number for number, _ in points], np.array([value for _, value in points], float)
