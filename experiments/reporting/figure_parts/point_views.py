"""Views of a map in two or three dimensions, and the names of groups of its points."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figure_parts.style import INK, group_color

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL = 5.4  # inches, the side of a map
VIEWS = ((25.0, 20.0), (205.0, 20.0))  # azimuth and elevation in degrees, of opposite views
NAME_HEIGHT, NAME_PADDING, NAME_CHARACTER = 0.27, 0.17, 0.11  # inches, of a group's name in its frame


def views_of(positions: NDArray[Any]) -> list[NDArray[np.float64]]:
    """Return views of a map as (right, up, near), (n, 3): one of positions (n, 2), two opposite ones of (n, 3)."""
    in_space = positions.shape[1] == 3
    return [_seen_from(positions, *view) for view in VIEWS] if in_space else [_flat(positions)]


def draw_panels(figure: "Figure", views: Sequence[NDArray[np.float64]]) -> list["Axes"]:
    """Add empty axes for each view, side by side, without ticks: the coordinates of a map have no meaning."""
    reach = max(float(np.abs(view[:, :2]).max()) for view in views) * 1.03 or 1.0
    panels = list(figure.subplots(1, len(views), squeeze=False)[0])
    for axes in panels:
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
        axes.set_axis_off()
    return panels


def _flat(positions: NDArray[Any]) -> NDArray[np.float64]:
    """Return positions (n, 2) in the form of `_seen_from`, (n, 3), with depth 0."""
    return np.column_stack([_centered(positions), np.zeros(len(positions))])


def _seen_from(positions: NDArray[Any], azimuth: float, elevation: float) -> NDArray[np.float64]:
    """Rotate positions to (right, up, near), (n, 3), for an azimuth and an elevation in degrees."""
    (cos_a, cos_e), (sin_a, sin_e) = np.cos(np.radians([azimuth, elevation])), np.sin(np.radians([azimuth, elevation]))
    right = [-sin_a, cos_a, 0]
    up = [-sin_e * cos_a, -sin_e * sin_a, cos_e]
    near = [cos_e * cos_a, cos_e * sin_a, sin_e]
    return _centered(_centered(positions) @ np.array([right, up, near]).T)


def _centered(positions: NDArray[Any]) -> NDArray[np.float64]:
    exact = positions.astype(np.float64)
    return exact - (exact.min(axis=0) + exact.max(axis=0)) / 2


def name_groups(axes: "Axes", view: NDArray[np.float64], groups: NDArray[Any], prefix: str) -> None:
    """Write each group's name (prefix and number) at the median of its points, or near it if that is taken.

    `draw_panels` must have set the limits.
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
