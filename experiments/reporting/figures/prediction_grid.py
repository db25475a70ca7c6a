"""Images with their predictions."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figure_parts.captioned_grid import Caption, captioned_grid
from experiments.reporting.figure_parts.style import RED

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def prediction_grid(
    images: NDArray[np.uint8], labels: NDArray[np.int64], probabilities: NDArray[np.float32], title: str
) -> "Figure":
    """Draw at most 25 images, each with the predicted digit and its probability above.

    A wrong prediction is marked by a cross, the true digit and a dashed frame.

    Parameters
    ----------
    images
        uint8 (n, 28, 28); n may be 0.
    labels
        True digits, (n,).
    probabilities
        Predicted distributions, (n, 10).
    title
        Should name data, split and model.
    """
    captions = [_caption(int(label), distribution) for label, distribution in zip(labels, probabilities, strict=True)]
    note = "Above each image: predicted digit (its probability). Mistakes are framed."
    return captioned_grid(images, captions, title, 8, note)


def _caption(label: int, distribution: NDArray[np.float32]) -> Caption:
    predicted = int(distribution.argmax())
    text = f"{predicted} ({distribution[predicted]:.2f})"
    if predicted == label:
        return Caption(text)
    return Caption(f"\N{BALLOT X} {text}, true {label}", RED, marked=True)
