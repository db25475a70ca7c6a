"""A t-SNE map as a static figure."""

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figures.style import INK, drawing, footnote, group_color, notice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL = 5.4  # inches, the side of a map
VIEWS = ((25.0, 20.0), (205.0, 20.0))  # azimuth and elevation in degrees, of opposite views
HAZE = 0.6  # proportion of white in the color of the farthest point
INK_A_MAP = 60_000  # total area of the points of a map, in points²
SCORE_SHADES = ("#E3DED2", "#F0C267", "#DE7A1E", "#B03A12", "#5E1410")  # as on the explorer's page
SCORE_TICKS = (0, 0.4, 0.6, 0.8, 1)
EMPHASIS = 2.5  # exponent of a score for its shade, so that the most confusing stand out
NAME_HEIGHT, NAME_PADDING, NAME_CHARACTER = 0.27, 0.17, 0.11  # inches, of a group's name in its frame


def feature_map(
    positions: NDArray[np.float32],
    values: NDArray[Any],
    title: str,
    kind: Literal["digits", "clusters", "scores"],
) -> "Figure":
    """Draw a map of n points: one panel for two dimensions, two opposite views for three.

    Parameters
    ----------
    positions
        (n, 2) or (n, 3), of any scale; n may be 0.
    values
        What colors the points, (n,): digits 0..9, clusters from 0, or scores in [0, 1], the larger on top.
    title
        Should name data, model, and what is colored.
    kind
        What `values` are. Digits and clusters have their name at the median of their points.

    Raises
    ------
    ValueError
        If positions have another shape.
    """
    if positions.ndim != 2 or positions.shape[1] not in {2, 3}:
        raise ValueError(f"positions must have shape (n, 2) or (n, 3), received {positions.shape}")
    in_space = positions.shape[1] == 3
    with drawing(title, PANEL * (1 + in_space) + 0.3, PANEL + 0.7) as figure:
        if not len(positions):
            notice(figure, "no points")
            return figure
        views = [seen_from(positions, *view) for view in VIEWS] if in_space else [flat(positions)]
        reach = max(float(np.abs(view[:, :2]).max()) for view in views) * 1.03 or 1.0
        panels = figure.subplots(1, len(views), squeeze=False)[0]
        for axes, view in zip(panels, views, strict=True):
            bare(axes, reach)
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


def flat(positions: NDArray[Any]) -> NDArray[np.float64]:
    """Return positions (n, 2) in the form of `seen_from`, (n, 3), with depth 0."""
    return np.column_stack([_centerd(positions), np.zeros(len(positions))])


def seen_from(positions: NDArray[Any], azimuth: float, elevation: float) -> NDArray[np.float64]:
    """Rotate positions to (right, up, near), (n, 3), for an azimuth and an elevation in degrees."""
    (cos_a, cos_e), (sin_a, sin_e) = np.cos(np.radians([azimuth, elevation])), np.sin(np.radians([azimuth, elevation]))
    right = [-sin_a, cos_a, 0]
    up = [-sin_e * cos_a, -sin_e * sin_a, cos_e]
    near = [cos_e * cos_a, cos_e * sin_a, sin_e]
    return _centerd(_centerd(positions) @ np.array([right, up, near]).T)


def _centerd(positions: NDArray[Any]) -> NDArray[np.float64]:
    exact = positions.astype(np.float64)
    return exact - (exact.min(axis=0) + exact.max(axis=0)) / 2


def bare(axes: "Axes", reach: float) -> None:
    """Set both axes to -reach..reach without ticks, as the coordinates of a map have no meaning."""
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    axes.set_axis_off()


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


def name_groups(axes: "Axes", view: NDArray[np.float64], groups: NDArray[Any], prefix: str) -> None:
    """Write each group's name (prefix and number) at the median of its points, or near it if that is taken.

    `bare` must have set the limits.
    """
    from matplotlib.colors import to_rgb

    names = np.unique(groups)
    medians = np.stack([np.median(view[groups == name, :2], axis=0) for name in names])
    reach = axes.get_xlim()[1]
    width = NAME_PADDING + NAME_CHARACTER * len(f"{prefix}{names[-1]}")
    places = _apart(medians, np.array([width, NAME_HEIGHT]) * 2 * reach / PANEL, reach)
    for name, (x, y) in zip(names, places, strict=True):
        color = group_color(int(name))
        frame = {"boxstyle": "round,pad=0.25", "facecolor": color, "edgecolor": "white", "linewidth": 1.5}
        brightness = np.dot(to_rgb(color), (0.299, 0.587, 0.114))
        axes.text(
            x, y, f"{prefix}{name}", ha="center", va="center", fontsize=10, fontweight="bold",
            color=INK if brightness > 0.5 else "white", bbox=frame,
        )  # fmt: skip


def _apart(places: NDArray[np.float64], size: NDArray[np.float64], reach: float) -> NDArray[np.float64]:
    """Move positions (n, 2) in -reach..reach until boxes of `size` around them do not overlap, or hardly."""
    moved, numbers = places.copy(), np.arange(len(places))
    before = np.sign(np.subtract.outer(numbers, numbers))[..., None]  # of two at one position the first moves down
    for _ in range(500):
        between = moved[:, None] - moved
        overlap = np.where(before == 0, 0, size - np.abs(between))
        hit = overlap.min(axis=-1) > 1e-9 * reach
        if not hit.any():
            break
        way = np.where(between == 0, before, np.sign(between))
        shorter = np.eye(2, dtype=bool)[overlap.argmin(axis=-1)]
        moved += 0.5 * (overlap * way * (shorter & hit[..., None])).sum(axis=1)
        moved = np.clip(moved, size / 2 - reach, reach - size / 2)
    return moved


def _how_to_read(kind: str, in_space: bool) -> str:
    views = ["The same cloud from two opposite sides."] if in_space else []
    depth = ["Farther points are paler."] if in_space and kind != "scores" else []
    last = {
        "digits": "Each digit stands at the median of its points.",
        "clusters": "Each cluster's name stands at the median of its points; c0 is the largest.",
        "scores": "Points of a larger score lie on top.",
    }[kind]
    return " ".join([*views, *depth, last])
