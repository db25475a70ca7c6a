"""Images with their predictions."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figures.image_grid import counted, frame, picture_grid, pictures, show_picture
from experiments.reporting.figures.style import BLUE, GREY, RED, drawing, notice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_SHOWN = 30  # mistakes
PAIRS_A_ROW = 5
BARS_WIDTH, GAP_WIDTH = 1.3, 0.05  # relative to the picture's


def prediction_grid(images: NDArray[Any], labels: NDArray[Any], probabilities: NDArray[Any], title: str) -> "Figure":
    """Draw the first 25 images, each with the predicted digit and its probability above.

    A wrong prediction is marked by a cross, the true digit and a dashed frame.

    Parameters
    ----------
    images
        uint8 in 0..255 or floats in [0, 1], (n, 28, 28) or (n, 28, 28, 1); n may be 0.
    labels
        True digits, (n,).
    probabilities
        Predicted distributions, (n, 10).
    title
        Should name data, split and model.

    Raises
    ------
    ValueError
        If images have another shape.
    """

    def caption(axes: "Axes", index: int) -> None:
        _mark(axes, int(labels[index]), probabilities[index])

    note = "Above each image: predicted digit (its probability). Mistakes are framed."
    return picture_grid(images, title, 8, caption, note)


def misclassified_gallery(
    images: NDArray[Any],
    labels: NDArray[Any],
    probabilities: NDArray[Any],
    order: NDArray[Any],
    title: str,
) -> "Figure":
    """Draw mistakes, each as the image with its index and a bar chart of its ten probabilities.

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
        Should name data, split, model and order; the number shown, at most 30, is added.

    Raises
    ------
    ValueError
        If images have another shape.
    """
    shown = order[:MAX_SHOWN]
    rows = -(-len(shown) // PAIRS_A_ROW)
    with drawing(counted(title, len(shown), len(order)), 13, 0.8 + 1.4 * rows) as figure:
        if not rows:
            notice(figure, "no mistakes")
            return figure
        grid = figure.add_gridspec(rows, 3 * PAIRS_A_ROW, width_ratios=[1, BARS_WIDTH, GAP_WIDTH] * PAIRS_A_ROW)
        for place, index in enumerate(shown):
            row, column = divmod(place, PAIRS_A_ROW)
            picture, bars = (figure.add_subplot(grid[row, 3 * column + side]) for side in (0, 1))
            label, distribution = int(labels[index]), probabilities[index]
            show_picture(picture, pictures(images)[index])
            picture.set_xlabel(f"#{index}", fontsize=8, color=GREY, labelpad=2)
            _name(picture, f"true {label} ({distribution[label]:.2f})", BLUE)
            _bars(bars, distribution, label)
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


def _bars(axes: "Axes", distribution: NDArray[Any], label: int) -> None:
    """Draw ten probabilities as bars, as high as the image."""
    predicted = int(np.argmax(distribution))
    colors = [{predicted: RED, label: BLUE}.get(digit, GREY) for digit in range(10)]
    axes.bar(range(10), distribution, color=colors, width=0.8)
    axes.set(xticks=range(10), ylim=(0, 1), yticks=[0, 0.5, 1], yticklabels=["0", "", "1"])
    axes.set_box_aspect(1 / BARS_WIDTH)
    axes.tick_params(labelsize=8, length=0, pad=2)
    axes.grid(visible=False, axis="x")
    _name(axes, f"predicted {predicted} ({distribution[predicted]:.2f})", RED)


def _name(axes: "Axes", text: str, color: str) -> None:
    axes.set_title(text, loc="left", pad=4, fontsize=9, color=color, fontweight="bold")


def _legend(figure: "Figure") -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(color=RED, label="probability of the predicted digit"),
        Patch(color=BLUE, label="of the true digit"),
    ]
    figure.legend(handles=handles, loc="outside lower left", ncols=2)
