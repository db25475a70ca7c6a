"""Heatmaps: cells with numbers, and their colors."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figure_parts.style import GRAY, INK, ORANGE, PALE, PALE_BLUE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.colors import Colormap
    from matplotlib.ticker import Locator


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
    from matplotlib.patches import Rectangle

    missing = np.isnan(values)
    draw_cells(axes, np.ma.array(values, mask=missing), shades, ends)
    for row, column in np.argwhere(missing):
        box = Rectangle((column, row), 1, 1, facecolor="white", edgecolor=PALE, hatch="////", linewidth=0, zorder=0.5)
        axes.add_patch(box)


def draw_cells(axes: "Axes", values: Any, shades: "Colormap", ends: tuple[float, float]) -> "QuadMesh":
    """Draw the cells of values (rows, columns) that are not masked; see `heat_cells`."""
    mesh = axes.pcolormesh(values, cmap=shades, vmin=ends[0], vmax=ends[1], edgecolors=PALE, linewidth=1)
    rows, columns = values.shape
    axes.set(xlim=(0, columns), ylim=(rows, 0), xticks=np.arange(columns) + 0.5, yticks=np.arange(rows) + 0.5)
    axes.spines[:].set_visible(False)
    axes.grid(visible=False)
    axes.tick_params(length=0)
    return mesh


def cell_text(axes: "Axes", row: int, column: int, text: str, above: float = 0, **style: Any) -> None:
    """Write into a cell, `above` points above its center; texts without digits are gray."""
    axes.annotate(
        text, (column + 0.5, row + 0.5), (0, above), textcoords="offset points", ha="center", va="center",
        color=INK if any(map(str.isdigit, text)) else GRAY, **style,
    )  # fmt: skip


def head(axes: "Axes", labels: Sequence[str], said: str = "", rotation: int = 0) -> None:
    """Label the columns above them."""
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.set_xticks(np.arange(len(labels)) + 0.5, labels, rotation=rotation)
    axes.tick_params(length=0)
    axes.set_xlabel(said, loc="left", color=GRAY)


def mistake_shades() -> "Colormap":
    """Return a colormap from orange (lowest accuracy) to white (highest), light enough for dark text."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("mistakes", [ORANGE, "white"])


def lowest(values: NDArray[np.float64]) -> float:
    """Return the lower end of a scale up to 100 that spans all values: a multiple of 10, at most 80."""
    known = values[~np.isnan(values)]
    return float(min(np.floor(known.min() / 10) * 10, 80)) if known.size else 80.0


def signed_shades() -> "Colormap":
    """Return a colormap from orange (negative) over white (none) to blue (positive), light enough for dark text."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("signed", [ORANGE, "white", PALE_BLUE])


def blues() -> "Colormap":
    """Return a colormap from white to a blue that is light enough for dark text."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("blues", ["white", PALE_BLUE])


def annotated_heatmap(
    axes: "Axes",
    values: NDArray[Any],
    texts: Sequence[Sequence[str]],
    shades: "Colormap",
    ends: tuple[float, float],
    label: str,
    plain: NDArray[np.bool_] | None = None,
    ticks: "Locator | None" = None,
) -> None:
    """Draw a heatmap with texts and a color bar, whose `plain` cells are gray, as they are not on the scale.

    Parameters
    ----------
    axes, values, shades, ends
        As for `heat_cells`, without NaN.
    texts
        Of each cell; may be empty.
    label, ticks
        Of the color bar.
    plain
        Which cells are gray, like `values`; None for none.
    """
    from matplotlib.colors import ListedColormap

    plain = np.zeros(values.shape, bool) if plain is None else plain
    mesh = draw_cells(axes, np.ma.array(values, mask=plain), shades, ends)
    draw_cells(axes, np.ma.array(values, mask=~plain), ListedColormap([PALE]), ends)
    for (row, column), text in np.ndenumerate(np.array(texts, object)):
        if text:
            axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", linespacing=1.05)
    bar = axes.figure.colorbar(mesh, ax=axes, label=label, ticks=ticks, shrink=0.8, pad=0.02, fraction=0.04, aspect=30)
    bar.outline.set_visible(False)
