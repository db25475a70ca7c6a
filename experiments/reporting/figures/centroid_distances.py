"""Distances between class means."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figure_parts.cells import annotated_heatmap, blues
from experiments.reporting.figure_parts.style import footnote, notice, themed_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CLOSEST = 3  # pairs that are named


def centroid_distances(
    digits: NDArray[np.int64], distances: NDArray[np.float64], spreads: NDArray[np.float64], title: str
) -> "Figure":
    """Draw the distances between the class means as a heatmap, with the spread of each class on the diagonal.

    Parameters
    ----------
    digits
        Classes that occur, int64 (c,); c may be 0.
    distances
        Distances between the class means, float64 (c, c).
    spreads
        Root mean square distance of the images of each class from their mean, float64 (c,).
    title
        Should name data and model.
    """
    count = len(digits)
    with themed_figure(title, 7.5, 7) as figure:
        if not count:
            notice(figure, "no images")
            return figure
        axes = figure.add_subplot()
        own = np.eye(count, dtype=bool)
        values = np.where(own, spreads, distances)
        places = _places(float(values.max()))
        texts = [[f"{value:,.{places}f}" for value in row] for row in values]
        apart = distances[~own]
        ends = (float(apart.min()), float(apart.max())) if apart.size else (0.0, 1.0)
        annotated_heatmap(axes, values, texts, blues().reversed(), ends, "distance between class means", plain=own)
        axes.set_xticks(np.arange(count) + 0.5, [str(digit) for digit in digits])
        axes.set_yticks(np.arange(count) + 0.5, [str(digit) for digit in digits])
        axes.set(xlabel="digit", ylabel="digit")
        spread = "On the gray diagonal, a digit's spread: root mean square distance of its images from their mean."
        nearest = ", ".join(f"{a} and {b} ({apart:,.{places}f})" for a, b, apart in _closest(digits, distances))
        footnote(figure, f"{spread}\nThe closest pairs: {nearest}." if nearest else spread)
    return figure


def _closest(digits: NDArray[np.int64], distances: NDArray[np.float64]) -> list[tuple[int, int, float]]:
    """Return the closest pairs of digits with their distance, closest first."""
    rows, columns = np.triu_indices(len(digits), 1)
    order = np.argsort(distances[rows, columns], kind="stable")[:CLOSEST]
    return [(digits[rows[i]], digits[columns[i]], distances[rows[i], columns[i]]) for i in order]


def _places(highest: float) -> int:
    """Return the number of decimal places that shows three significant digits."""
    return int(np.clip(2 - np.floor(np.log10(highest)), 0, 6)) if highest > 0 else 0
