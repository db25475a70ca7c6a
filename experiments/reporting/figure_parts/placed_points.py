"""The digits of a target domain over those of the source."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figure_parts.style import INK, group_color

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FAINTNESS = 0.72  # share of white in the colors of the source
SOURCE_INK, TARGET_INK = 60_000, 40_000  # points² of ink that all of their points have together


def source_points(axes: "Axes", view: NDArray[np.float64], labels: NDArray[np.integer], area: float = 1) -> None:
    """Draw the source's digits in pale colors; `area` is that of the axes relative to one map."""
    order = np.argsort(view[:, 2], kind="stable")
    colors = _colors(labels[order])
    size = area * float(np.clip(SOURCE_INK / max(len(view), 1), 2, 16))
    pale = colors + (1 - colors) * FAINTNESS
    axes.scatter(view[order, 0], view[order, 1], s=size, c=pale, linewidths=0, rasterized=True)


def target_points(
    axes: "Axes",
    view: NDArray[np.float64],
    labels: NDArray[np.integer],
    wrong: NDArray[np.bool_],
    area: float = 1,
) -> None:
    """Draw the target's digits in full colors, as `source_points` does.

    Misclassified ones come last, as crosses with a dark edge: the shape distinguishes them in every color.
    """
    size = area * float(np.clip(TARGET_INK / max(len(view), 1), 12, 40))
    styles: tuple[tuple[Any, dict[str, Any]], ...] = (
        (~wrong, {"marker": "o", "s": size, "edgecolors": "white", "linewidths": 0.4}),
        (wrong, {"marker": "X", "s": 2.2 * size, "edgecolors": INK, "linewidths": 0.7}),
    )
    for chosen, style in styles:
        axes.scatter(view[chosen, 0], view[chosen, 1], c=_colors(labels[chosen]), rasterized=True, **style)


def _colors(labels: NDArray[np.integer]) -> NDArray[np.float64]:
    from matplotlib.colors import to_rgb

    palette = np.array([to_rgb(group_color(digit)) for digit in range(10)])
    return palette[labels.astype(np.int64)]
