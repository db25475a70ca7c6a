"""Sample images of a dataset."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figure_parts.captioned_grid import Caption, captioned_grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def sample_grid(images: NDArray[np.uint8], labels: NDArray[np.int64], title: str) -> "Figure":
    """Draw at most 25 images, each with its label above.

    Parameters
    ----------
    images
        uint8 (n, 28, 28); n may be 0.
    labels
        Digits, (n,).
    title
        Should name data and split.
    """
    return captioned_grid(images, [Caption(str(label)) for label in labels], title, 6)
