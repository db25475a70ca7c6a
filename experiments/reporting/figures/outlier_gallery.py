"""Outliers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figure_parts.captioned_grid import GRID_CELLS, Caption, captioned_grid
from experiments.reporting.figure_parts.image_sheet import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def outlier_gallery(images: NDArray[np.uint8], captions: Sequence[str], total: int, title: str) -> "Figure":
    """Draw the first 25 outliers, five per row.

    Parameters
    ----------
    images
        uint8 (n, 28, 28); n may be 0.
    captions
        Text above each.
    total
        Number of digits that were searched.
    title
        Should name data, split and model; the number shown is added.
    """
    title = counted(title, min(len(images), GRID_CELLS), total)
    return captioned_grid(images, [Caption(text) for text in captions], title, 8)
