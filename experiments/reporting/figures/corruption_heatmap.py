"""Accuracy under corruptions."""

from collections.abc import Mapping
from math import isnan, nan
from typing import TYPE_CHECKING

import numpy as np

from experiments.reporting.figure_parts.cells import cell_text, head, heat_cells, lowest, mistake_shades
from experiments.reporting.figure_parts.layout import row_labels, spacious
from experiments.reporting.figure_parts.style import PALE, notice

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CELL, ROW = 0.5, 0.36  # inches, of a cell's width and least height
LABELS, HEADS = 2.6, 1.3  # inches, of the names of rows and of columns
CORRUPTION_CHARACTERS = 16
NOTE = (
    "Accuracy in percent; the lower, the deeper the color. Last column: mean corruption error, in percent of the "
    "baseline's; 100 is as good as the baseline, less is better."
)


def corruption_heatmap(
    accuracies: Mapping[str, Mapping[str, float]],
    clean: Mapping[str, float],
    mean_errors: Mapping[str, float],
    title: str,
) -> "Figure":
    """Draw accuracies on clean and corrupted images, and the mean corruption error, as a row per network.

    Parameters
    ----------
    accuracies
        By network and corruption, in [0, 1]. Corruptions stand in the order in which the networks first name them,
        and may be missing from some. May be empty.
    clean
        Accuracy of each network on the clean images, in [0, 1]; networks may be missing.
    mean_errors
        Mean corruption error of each network, relative to the baseline's; networks may be missing.
    title
        Should name the images and which network is the baseline.
    """
    corruptions = list(dict.fromkeys(name for row in accuracies.values() for name in row))
    labels, height = row_labels(accuracies)
    rows = max(ROW, height) * max(len(accuracies), 1)
    columns = len(corruptions) + 2
    with spacious(title, max(7.0, LABELS + CELL * columns), HEADS + 0.2 + rows, NOTE if corruptions else "") as figure:
        if not corruptions:
            notice(figure, "no corruption was tried")
            return figure
        axes = figure.add_subplot()
        values = np.full((len(accuracies), columns), nan)
        for place, (name, row) in enumerate(accuracies.items()):
            values[place, :-1] = [100 * clean.get(name, nan), *(100 * row.get(one, nan) for one in corruptions)]
        heat_cells(axes, values[:, :-1], mistake_shades(), (lowest(values), 100))
        axes.set_xlim(0, columns)
        axes.axvspan(columns - 1, columns, color=PALE, linewidth=0, zorder=0)
        values[:, -1] = [100 * mean_errors.get(name, nan) for name in accuracies]
        for (place, column), value in np.ndenumerate(values):
            text = "\N{EN DASH}" if isnan(value) else f"{value:.1f}"
            cell_text(axes, place, column, text, fontsize=9)
        for edge in (1, columns - 1):
            axes.axvline(edge, color="white", linewidth=7, zorder=2)
        spoken = [row_labels([name.replace("_", " ")], CORRUPTION_CHARACTERS)[0][0] for name in corruptions]
        head(axes, ["clean", *spoken, "mean error,\n% of baseline"], rotation=90)
        axes.set_yticks(np.arange(len(labels)) + 0.5, labels)
    return figure
