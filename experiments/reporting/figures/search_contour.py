"""Values of a search over two hyperparameters."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.reporting.figure_parts.hyperparameters import TOO_FEW, VALUE, Hyperparameter, lower_limit, set_scale
from experiments.reporting.figure_parts.style import GRAY, ORANGE, footnote, notice, themed_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ONLY_ONE = "only one hyperparameter was searched"


def search_contour(values: Sequence[float], parameters: Mapping[str, Hyperparameter], title: str) -> "Figure":
    """Draw the complete trials over two hyperparameters, with interpolated contours if they span an area.

    Parameters
    ----------
    values
        Of n complete trials; n may be 0.
    parameters
        The two hyperparameters; if there is only one, or n is below 2, the figure says so.
    title
        Should name the study.
    """
    from matplotlib.tri import Triangulation

    with themed_figure(title, 7, 5) as figure:
        if len(parameters) < 2 or len(values) < 2:
            notice(figure, ONLY_ONE if len(parameters) == 1 else TOO_FEW)
            return figure
        axes = figure.add_subplot()
        (x_name, x), (y_name, y) = parameters.items()
        low = lower_limit(np.array(values))
        shown = np.clip(values, low, None)
        if surface := _triangles(x, y):
            filled = axes.tricontourf(Triangulation(x.tried, y.tried, surface), shown, levels=12, cmap="Blues")
            figure.colorbar(filled, label=VALUE)
        axes.scatter(x.tried, y.tried, c=shown, cmap="Blues", edgecolor=GRAY, s=36)
        best = int(np.argmax(values))
        axes.plot(x.tried[best], y.tried[best], "*", color=ORANGE, markersize=16, label="best trial")
        axes.set(xlabel=x_name, ylabel=y_name)
        set_scale(axes, "x", x)
        set_scale(axes, "y", y)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1))
        clipped = "; the lowest tenth has one color" if min(values) < low else ""
        footnote(figure, f"Between the trials the value is interpolated{clipped}.")
    return figure


def _triangles(x: Hyperparameter, y: Hyperparameter) -> Any:
    """Triangulate the points; None if they lie on a line."""
    from scipy.spatial import Delaunay, QhullError

    points = np.column_stack([x.places(), y.places()])
    try:
        return Delaunay(points).simplices.tolist()
    except QhullError:
        return None
