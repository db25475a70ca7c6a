"""Importances of hyperparameters."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from experiments.reporting.figure_parts.hyperparameters import TOO_FEW
from experiments.reporting.figure_parts.style import BLUE, notice, themed_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def search_importances(importances: Mapping[str, float], title: str) -> "Figure":
    """Draw the proportion of the variance that each hyperparameter explains as a bar.

    Parameters
    ----------
    importances
        By hyperparameter, in [0, 1], the most important first; may be empty.
    title
        Should name the study.
    """
    with themed_figure(title, 8, 1.6 + 0.4 * len(importances)) as figure:
        if not importances:
            notice(figure, TOO_FEW)
            return figure
        axes = figure.add_subplot()
        names = list(importances)[::-1]
        bars = axes.barh(names, [importances[name] for name in names], color=BLUE)
        axes.bar_label(bars, fmt="{:.2f}", padding=4)
        axes.set(xlabel="proportion of the variance that it explains", xlim=(0, 1))
        axes.grid(visible=False, axis="y")
    return figure
