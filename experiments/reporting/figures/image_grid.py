"""Grids of digit images, shared by several figures."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figures.style import INK, PALE, drawing, footnote, notice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIDE = 28
GRID_COLUMNS = 5
GRID_CELLS = 25


def pictures(images: NDArray[Any]) -> NDArray[Any]:
    """Reshape images (n, 28, 28) or (n, 28, 28, 1) to (n, 28, 28).

    Raises
    ------
    ValueError
        If they have another shape.
    """
    if images.shape[1:] not in {(SIDE, SIDE), (SIDE, SIDE, 1)}:
        raise ValueError(f"images must have shape (n, 28, 28) or (n, 28, 28, 1), received {images.shape}")
    return images.reshape(-1, SIDE, SIDE)


def picture_grid(
    images: NDArray[Any],
    title: str,
    width: float,
    caption: Callable[["Axes", int], object],
    note: str = "",
) -> "Figure":
    """Draw the first 25 images, five per row.

    Parameters
    ----------
    images
        uint8 in 0..255 or floats in [0, 1], (n, 28, 28) or (n, 28, 28, 1); n may be 0.
    title
        Set above the grid; may be empty.
    width
        Size in inches.
    caption
        Called with the axes and the index of each picture to write its caption.
    note
        Set below the grid.
    """
    shown = pictures(images)[:GRID_CELLS]
    rows = max(-(-len(shown) // GRID_COLUMNS), 1)
    with drawing(title, width, 0.5 + rows * (width / GRID_COLUMNS + 0.1)) as figure:
        if len(shown):
            footnote(figure, note)
        else:
            notice(figure, "no images")
        grid = figure.add_gridspec(rows, GRID_COLUMNS)
        for index, image in enumerate(shown):
            axes = figure.add_subplot(grid[divmod(index, GRID_COLUMNS)])
            show_picture(axes, image)
            caption(axes, index)
    return figure


def show_picture(axes: "Axes", image: NDArray[Any]) -> None:
    """Draw one image (28, 28), uint8 or floats in [0, 1], as dark ink on white in a thin frame."""
    brightest = 255 if np.issubdtype(image.dtype, np.integer) else 1
    axes.imshow(image, cmap="gray_r", vmin=0, vmax=brightest, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    frame(axes, PALE, 0.8)


def counted(title: str, shown: int, found: int) -> str:
    """Add the number of shown items to a title, and their total."""
    return f"{title} (first {shown} of {found:,})" if shown < found else f"{title} ({found})"


def frame(axes: "Axes", color: str = INK, width: float = 0.8, style: str = "solid") -> None:
    """Draw a frame on all four sides of the axes."""
    axes.spines[:].set(visible=True, color=color, linewidth=width, linestyle=style)
