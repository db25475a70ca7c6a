"""Heatmap cells with numbers, shared by several figures."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figures.style import GREY, INK, ORANGE, PALE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap


def heat_cells(axes: "Axes", values: NDArray[np.float64], shades: "Colormap", ends: tuple[float, float]) -> None:
    """Draw values (rows, columns) as colored cells, the first row on top; NaN cells are hatched.

    Parameters
    ----------
    axes
        Empty; cell (i, j) spans j to j + 1 and i to i + 1 on it.
    values
        Any finite numbers and nan.
    shades
        Light enough for dark text.
    ends
        Values of the first and the last shade.
    """
    import seaborn
    from matplotlib.patches import Rectangle

    common: dict[str, Any] = {"linewidths": 1, "linecolor": PALE, "cbar": False, "ax": axes}
    missing = np.isnan(values)
    seaborn.heatmap(values, mask=missing, cmap=shades, vmin=ends[0], vmax=ends[1], **common)
    for row, column in np.argwhere(missing):
        box = Rectangle((column, row), 1, 1, facecolor="white", edgecolor=PALE, hatch="////", linewidth=0, zorder=0.5)
        axes.add_patch(box)
    axes.grid(visible=False)
    axes.tick_params(length=0, labelrotation=0)


def cell_text(axes: "Axes", row: int, column: int, text: str, above: float = 0, **style: Any) -> None:
    """Write into a cell, `above` points above its center; texts without digits are gray."""
    axes.annotate(
        text, (column + 0.5, row + 0.5), (0, above), textcoords="offset points", ha="center", va="center",
        color=INK if any(map(str.isdigit, text)) else GREY, **style,
    )  # fmt: skip


def head(axes: "Axes", labels: Sequence[str], said: str = "", rotation: int = 0) -> None:
    """Label the columns above them."""
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.set_xticks(np.arange(len(labels)) + 0.5, labels, rotation=rotation)
    axes.tick_params(length=0)
    axes.set_xlabel(said, loc="left", color=GREY)


def mistake_shades() -> "Colormap":
    """Return a colormap from orange (lowest accuracy) to white (highest), light enough for dark text."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("mistakes", [ORANGE, "white"])


def lowest(values: NDArray[np.float64]) -> float:
    """Return the lower end of a scale up to 100 that spans all values: a multiple of 10, at most 80."""
    known = values[~np.isnan(values)]
    return float(min(np.floor(known.min() / 10) * 10, 80)) if known.size else 80.0
