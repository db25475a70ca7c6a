"""Values of a search against each hyperparameter."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from experiments.reporting.figure_parts.hyperparameters import TOO_FEW, VALUE, Hyperparameter, focus, set_scale
from experiments.reporting.figure_parts.style import GRAY, notice, themed_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def search_slice(
    numbers: Sequence[int], values: Sequence[float], parameters: Mapping[str, Hyperparameter], title: str
) -> "Figure":
    """Draw the value of each complete trial against each hyperparameter.

    Parameters
    ----------
    numbers, values
        Number and value of n complete trials; n may be 0.
    parameters
        At least one hyperparameter of these trials, by name.
    title
        Should name the study.
    """
    from matplotlib.ticker import MaxNLocator

    with themed_figure(title, max(8.0, 2.4 * len(parameters)), 3.6) as figure:
        if not values:
            notice(figure, TOO_FEW)
            return figure
        panels = figure.subplots(1, len(parameters), sharey=True, squeeze=False)[0]
        for axes, (name, parameter) in zip(panels, parameters.items(), strict=True):
            points = axes.scatter(parameter.tried, values, c=numbers, cmap="Blues", edgecolor=GRAY, linewidth=0.5)
            axes.set_xlabel(name)
            set_scale(axes, "x", parameter)
        panels[0].set_ylabel(VALUE)
        focus(panels[0], np.array(values))
        figure.colorbar(points, ax=panels, label="trial", ticks=MaxNLocator(integer=True))
    return figure
