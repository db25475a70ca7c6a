"""Change of recall by digit between domains."""

from collections.abc import Mapping, Sequence
from math import isnan
from typing import TYPE_CHECKING

import numpy as np

from experiments.reporting.figure_parts.cells import cell_text, head, heat_cells, signed_shades
from experiments.reporting.figure_parts.layout import row_labels, signed, spacious
from experiments.reporting.figure_parts.style import notice

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROW = 0.38  # inches, the least height of a row
LEAST_END = 1.0  # points, at which the colors saturate at least
NOTE = (
    "Points by which recall in the target differs from that in the source: orange is lost, blue is gained, "
    "a dash stands where a digit does not occur."
)


def class_changes(changes: Mapping[str, Sequence[float]], title: str) -> "Figure":
    """Draw the change of each digit's recall from source to target as a heatmap with a row per network.

    Parameters
    ----------
    changes
        By network: the difference of recall in [-1, 1] for the digits 0..9, nan for one that does not occur. May be
        empty.
    title
        Should name source and target.
    """
    labels, height = row_labels(changes)
    rows = max(ROW, height) * max(len(changes), 1)
    with spacious(title, 8.6, 0.8 + rows, NOTE if changes else "") as figure:
        if not changes:
            notice(figure, "no network was tested")
            return figure
        axes = figure.add_subplot()
        values = 100 * np.array(list(changes.values()), float)
        end = max(float(np.nanmax(np.abs(values), initial=0)), LEAST_END)
        heat_cells(axes, values, signed_shades(), (-end, end))
        for (place, column), value in np.ndenumerate(values):
            cell_text(axes, place, column, "\N{EN DASH}" if isnan(value) else signed(value, 1), fontsize=9)
        head(axes, [str(digit) for digit in range(values.shape[1])], "digit")
        axes.set_yticks(np.arange(len(labels)) + 0.5, labels)
    return figure
