"""Trials of a search as lines through their hyperparameters."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figure_parts.hyperparameters import TOO_FEW, VALUE, Hyperparameter, lower_limit
from experiments.reporting.figure_parts.style import GRAY, ORANGE, PALE_BLUE, notice, themed_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def search_parallel_coordinates(
    values: Sequence[float], parameters: Mapping[str, Hyperparameter], title: str
) -> "Figure":
    """Draw each complete trial as a line through its value and its hyperparameters, with the best marked.

    Parameters
    ----------
    values
        Of n complete trials; n may be 0. Of equal ones the first is the best.
    parameters
        Hyperparameters of these trials, by name.
    title
        Should name the study.
    """
    with themed_figure(title, max(8.0, 1.6 * (len(parameters) + 1)), 4) as figure:
        if not values:
            notice(figure, TOO_FEW)
            return figure
        axes = figure.add_subplot()
        found = np.array(values)
        _draw_lines(axes, found, parameters)
        _label_columns(axes, found, parameters)
        axes.set(ylim=(0, 1), yticks=[])
        axes.grid(visible=False)
        axes.spines[["left", "bottom"]].set_visible(False)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.08))
    return figure


def _draw_lines(axes: "Axes", values: NDArray[np.float64], parameters: Mapping[str, Hyperparameter]) -> None:
    """Draw the lines, the better ones later; the worst trials have the lowest value that is distinguished."""
    low, high = lower_limit(values), values.max()
    shares = (np.maximum(values, low) - low) / (high - low) if high > low else np.full(len(values), 0.5)
    lines = np.stack([shares, *(parameter.places() for parameter in parameters.values())])
    order = np.argsort(values, kind="stable")
    axes.plot(lines[:, order], color=PALE_BLUE, linewidth=1, zorder=2)
    axes.plot(lines[:, values.argmax()], color=ORANGE, linewidth=2.5, zorder=3, label="best trial")


def _label_columns(axes: "Axes", values: NDArray[np.float64], parameters: Mapping[str, Hyperparameter]) -> None:
    low = lower_limit(values)
    at_most = "\N{LESS-THAN OR EQUAL TO} " if values.min() < low else ""
    tops = [f"{values.max():.4f}", *(f"{parameter.high:g}" for parameter in parameters.values())]
    bottoms = [f"{at_most}{low:.4f}", *(f"{parameter.low:g}" for parameter in parameters.values())]
    axes.set_xticks(range(len(tops)), tops)
    axes.xaxis.tick_top()
    for x, (name, bottom) in enumerate(zip((VALUE, *parameters), bottoms, strict=True)):
        axes.text(x, -0.04, f"{bottom}\n{name}", ha="center", va="top", fontsize=9)
        axes.axvline(x, color=GRAY, linewidth=0.8, zorder=1)
