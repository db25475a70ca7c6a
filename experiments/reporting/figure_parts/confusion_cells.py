"""Numbers and colors of the cells of confusion matrices."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figure_parts.style import RED

if TYPE_CHECKING:
    from matplotlib.colors import Colormap


def percentages(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return counts (10, 10) in percent of the images of each true digit (row); 0 for a digit that does not occur."""
    support = confusion.sum(axis=1, keepdims=True)
    return 100 * confusion / np.maximum(support, 1)


def highest_mistake(values: NDArray[Any]) -> float:
    """Return the highest value off the diagonal of matrices (..., 10, 10), at least 1."""
    diagonal = np.eye(values.shape[-1], dtype=bool)
    return float(max(values[..., ~diagonal].max(), 1))


def cell_texts(values: NDArray[Any]) -> list[list[str]]:
    """Return the text of each cell of a matrix of counts or percentages; empty for 0, so that mistakes stand out."""
    form = "d" if np.issubdtype(values.dtype, np.integer) else ".1f"
    return [[f"{value:{form}}" if value else "" for value in row] for row in values]


def confusion_shades() -> "Colormap":
    """Return a colormap from white (no mistakes) to red."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("confusion", ["white", RED])
