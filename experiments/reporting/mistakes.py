"""Predictions next to the pictures they were made for."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.pictures import frame, picture_grid, pictures, show_picture
from experiments.reporting.style import BLUE, GREY, RED, drawing, notice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PAIRS_A_ROW = 5


def prediction_grid(images: NDArray[Any], labels: NDArray[Any], probabilities: NDArray[Any], title: str) -> "Figure":
    """Return a figure of the first 25 images, each with the predicted digit and its probability above.

    A wrong prediction has a cross and the true digit above it, and a dashed frame.

    Parameters
    ----------
    images
        uint8 in 0..255 or floats in [0, 1], (n, 28, 28) or (n, 28, 28, 1); n may be 0.
    labels
        True digits, (n,).
    probabilities
        Predicted distributions, (n, 10).
    title
        Says data, split and model.

    Raises
    ------
    ValueError
        For images of another shape.
    """

    def caption(axes: "Axes", index: int) -> None:
        _mark(axes, int(labels[index]), probabilities[index])

    return picture_grid(images, title, 8, caption)


def misclassified_gallery(
    images: NDArray[Any],
    labels: NDArray[Any],
    probabilities: NDArray[Any],
    order: NDArray[Any],
    title: str,
    limit: int = 30,
) -> "Figure":
    """Return a figure of mistakes, each a picture beside the bar chart of its ten probabilities.

    Parameters
    ----------
    images
        uint8 in 0..255 or floats in [0, 1], (n, 28, 28) or (n, 28, 28, 1).
    labels
        True digits, (n,).
    probabilities
        Predicted distributions, (n, 10).
    order
        Indices of the mistakes into these arrays, in the order in which to show them, as
        `experiments.evaluation.misclassified` returns them; may be empty.
    title
        Says data, split and model.
    limit
        How many to show at most, >= 1.

    Raises
    ------
    ValueError
        For images of another shape.
    """
    shown = order[:limit]
    rows = max(-(-len(shown) // PAIRS_A_ROW), 1)
    with drawing(_counted(title, len(shown), len(order)), 13, 1.4 + 1.55 * rows) as figure:
        if not len(shown):
            notice(figure, "no mistakes")
            return figure
        grid = figure.add_gridspec(rows, 2 * PAIRS_A_ROW, width_ratios=[1, 1.2] * PAIRS_A_ROW)
        for place, index in enumerate(shown):
            row, column = divmod(place, PAIRS_A_ROW)
            picture = figure.add_subplot(grid[row, 2 * column])
            show_picture(picture, pictures(images)[index])
            label, predicted = int(labels[index]), int(np.argmax(probabilities[index]))
            picture.set_title(f"true {label}, predicted {predicted}", loc="left", fontsize=9)
            picture.set_xlabel(f"#{index}", fontsize=7.5, color=GREY, labelpad=2)
            _bars(figure.add_subplot(grid[row, 2 * column + 1]), probabilities[index], label, predicted)
        _legend(figure)
    return figure


def _mark(axes: "Axes", label: int, distribution: NDArray[Any]) -> None:
    predicted = int(np.argmax(distribution))
    text = f"{predicted} ({distribution[predicted]:.2f})"
    if predicted == label:
        axes.set_title(text, pad=4)
    else:
        axes.set_title(f"\N{BALLOT X} {text}, true {label}", pad=4, color=RED, fontweight="bold")
        frame(axes, RED, 2, "dashed")


def _counted(title: str, shown: int, mistakes: int) -> str:
    return f"{title}: first {shown} of {mistakes:,} mistakes" if shown < mistakes else title


def _bars(axes: "Axes", distribution: NDArray[Any], label: int, predicted: int) -> None:
    """Draw ten probabilities; the digits named in the picture's title stand out."""
    colours = [{predicted: RED, label: BLUE}.get(digit, GREY) for digit in range(10)]
    axes.bar(range(10), distribution, color=colours, width=0.8)
    axes.set(xticks=range(10), ylim=(0, 1), yticks=[0, 0.5, 1], yticklabels=["0", "", "1"])
    axes.tick_params(labelsize=7, length=0, pad=2)
    axes.grid(visible=False, axis="x")


def _legend(figure: "Figure") -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(color=RED, label="probability of the predicted digit"),
        Patch(color=BLUE, label="of the true digit"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
