"""A t-SNE map as a static figure."""

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figure_parts.point_views import PANEL, draw_panels, name_groups, views_of
from experiments.reporting.figure_parts.style import footnote, group_color, notice, themed_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HAZE = 0.6  # proportion of white in the color of the farthest point
INK_A_MAP = 60_000  # total area of the points of a map, in points²
SCORE_SHADES = ("#E3DED2", "#F0C267", "#DE7A1E", "#B03A12", "#5E1410")  # as on the explorer's page
SCORE_TICKS = (0, 0.4, 0.6, 0.8, 1)
EMPHASIS = 2.5  # exponent of a score for its shade, so that the most confusing stand out


def feature_map(
    positions: NDArray[np.float32],
    values: NDArray[Any],
    kind: Literal["digits", "clusters", "scores"],
    title: str,
) -> "Figure":
    """Draw a map of points colored by digit, cluster or score; a map in three dimensions from two opposite sides.

    Parameters
    ----------
    positions
        (n, 2) or (n, 3), of any scale; n may be 0.
    values
        What colors the points, (n,): digits 0..9, clusters from 0, or scores in [0, 1], the larger on top.
    kind
        What `values` are. Digits and clusters have their name at the median of their points.
    title
        Should name data, model, and what is colored.

    Raises
    ------
    ValueError
        If positions have another shape.
    """
    if positions.ndim != 2 or positions.shape[1] not in {2, 3}:
        raise ValueError(f"positions must have shape (n, 2) or (n, 3), received {positions.shape}")
    in_space = positions.shape[1] == 3
    with themed_figure(title, PANEL * (1 + in_space) + 0.3, PANEL + 0.7) as figure:
        if not len(positions):
            notice(figure, "no points")
            return figure
        views = views_of(positions)
        panels = draw_panels(figure, views)
        for axes, view in zip(panels, views, strict=True):
            if kind == "scores":
                points = _score_points(axes, view, values)
            else:
                _group_points(axes, view, values)
                name_groups(axes, view, values, "c" if kind == "clusters" else "")
        if kind == "scores":
            figure.colorbar(
                points, ax=panels, shrink=0.6, aspect=30, pad=0.01, label="confusion score", ticks=SCORE_TICKS
            )
        footnote(figure, _how_to_read(kind, in_space))
    return figure


def _group_points(axes: "Axes", view: NDArray[np.float64], groups: NDArray[Any]) -> None:
    """Draw the farthest points first, and paler."""
    from matplotlib.colors import to_rgb

    order = np.argsort(view[:, 2], kind="stable")
    nearness = view[order, 2] - view[order[0], 2]
    haze = HAZE * (1 - nearness / nearness[-1])[:, None] if nearness[-1] else 0
    palette = np.array([to_rgb(group_color(group)) for group in range(int(groups.max()) + 1)])
    colors = palette[groups[order]]
    _dots(axes, view[order], c=colors + (1 - colors) * haze)


def _score_points(axes: "Axes", view: NDArray[np.float64], scores: NDArray[Any]) -> Any:
    from matplotlib.colors import LinearSegmentedColormap, PowerNorm

    order = np.argsort(scores, kind="stable")
    shades = LinearSegmentedColormap.from_list("scores", SCORE_SHADES)
    return _dots(axes, view[order], c=scores[order], cmap=shades, norm=PowerNorm(EMPHASIS, 0, 1))


def _dots(axes: "Axes", places: NDArray[np.float64], **colors: Any) -> Any:
    size = float(np.clip(INK_A_MAP / len(places), 2, 16))
    return axes.scatter(places[:, 0], places[:, 1], s=size, linewidths=0, rasterized=True, **colors)


def _how_to_read(kind: str, in_space: bool) -> str:
    views = ["The same cloud from two opposite sides."] if in_space else []
    depth = ["Farther points are paler."] if in_space and kind != "scores" else []
    last = {
        "digits": "Each digit stands at the median of its points.",
        "clusters": "Each cluster's name stands at the median of its points; c0 is the largest.",
        "scores": "Points of a larger score lie on top.",
    }[kind]
    return " ".join([*views, *depth, last])
