"""Confusion matrix."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import CLASSES
from experiments.reporting.figure_parts.cells import annotated_heatmap
from experiments.reporting.figure_parts.confusion_cells import (
    cell_texts,
    confusion_shades,
    highest_mistake,
    percentages,
)
from experiments.reporting.figure_parts.style import themed_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def confusion_heatmap(confusion: NDArray[np.int64], normalize: bool, title: str) -> "Figure":
    """Draw a confusion matrix with a row per true digit, in which only mistakes are colored.

    The diagonal is gray: in a good model it is a hundred times larger than anything else.

    Parameters
    ----------
    confusion
        Counts, int64 (10, 10): rows are true digits, columns predicted ones.
    normalize
        Show percent of the images of each true digit (0 for a digit that does not occur), not counts.
    title
        Should name data, split and model.
    """
    from matplotlib.ticker import MaxNLocator

    values: NDArray[Any] = percentages(confusion) if normalize else confusion
    label = "mistakes, percent of the true digit's images" if normalize else "mistakes"
    ticks = MaxNLocator(integer=not normalize, steps=[1, 2, 5, 10])
    ends, diagonal = (0.0, highest_mistake(values)), np.eye(CLASSES, dtype=bool)
    with themed_figure(title, 7.5, 6.8) as figure:
        axes = figure.add_subplot(aspect="equal")
        annotated_heatmap(axes, values, cell_texts(values), confusion_shades(), ends, label, diagonal, ticks)
        for text in axes.texts:
            text.set_color("black")  # the darkest red needs it
        digits = [str(digit) for digit in range(CLASSES)]
        axes.set(xlabel="predicted digit", ylabel="true digit", xticklabels=digits, yticklabels=digits)
        axes.tick_params(labelsize=11)
    return figure
