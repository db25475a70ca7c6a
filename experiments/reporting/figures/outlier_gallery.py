"""Outliers."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figure_parts.captioned_grid import GRID_CELLS, Caption, captioned_grid
from experiments.reporting.figure_parts.digit_images import DigitImages
from experiments.reporting.figure_parts.image_sheet import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def outlier_gallery(digits: DigitImages, scores: NDArray[np.float64], total: int, title: str) -> "Figure":
    """Draw at most 25 outliers, each with its place, its label and its outlier score above.

    Parameters
    ----------
    digits
        In order of display; may be none.
    scores
        Outlier score of each, (n,); see `experiments.analysis.outliers`.
    total
        Number of digits that were searched.
    title
        Should name data, split and model; the number shown is added.
    """
    title = counted(title, min(len(digits), GRID_CELLS), total)
    texts = [f"{name}\nz = {score:.1f}" for name, score in zip(digits.names(), scores, strict=True)]
    return captioned_grid(digits.images, [Caption(text) for text in texts], title, 8)
