"""The target's digits on the t-SNE map of the source's digits."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figure_parts.layout import spacious
from experiments.reporting.figure_parts.placed_points import source_points, target_points
from experiments.reporting.figure_parts.point_views import PANEL, draw_panels, name_groups, views_of
from experiments.reporting.figure_parts.style import GRAY, INK, notice

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOTE = "Colors are true digits, source pale, target full; names stand at the medians of the source's digits."
VIEWS_NOTE = " The same cloud from two opposite sides."
SOURCE_KEY = "#D0D0D0"


def placed_map(
    reference: NDArray[np.float32],
    reference_labels: NDArray[np.integer],
    placed: NDArray[np.float32],
    placed_labels: NDArray[np.integer],
    wrong: NDArray[np.bool_],
    title: str,
) -> "Figure":
    """Draw the target's digits over the source's on one map; a map in three dimensions from two opposite sides.

    Parameters
    ----------
    reference, placed
        Positions of the source's and the target's digits, (n, 2) and (m, 2), or (n, 3) and (m, 3), of any scale;
        n and m may be 0.
    reference_labels, placed_labels
        Their digits, integers in 0..9, (n,) and (m,).
    wrong
        Which of the target's digits the network misclassifies, (m,).
    title
        Should name network, source and target.

    Raises
    ------
    ValueError
        If positions have another shape.
    """
    if reference.ndim != 2 or reference.shape[1] not in {2, 3} or placed.shape[1:] != reference.shape[1:]:
        raise ValueError(
            f"positions must both have shape (n, 2) or (n, 3), received {reference.shape} and {placed.shape}"
        )
    source, in_space = len(reference), reference.shape[1] == 3
    together = np.concatenate([reference, placed])
    note = (NOTE + VIEWS_NOTE * in_space) if len(together) else ""
    with spacious(title, PANEL * (1 + in_space) + 0.3, PANEL + 0.6, note) as figure:
        if not len(together):
            notice(figure, "no points")
            return figure
        views = views_of(together)
        panels = draw_panels(figure, views)
        for axes, view in zip(panels, views, strict=True):
            source_points(axes, view[:source], reference_labels)
            target_points(axes, view[source:], placed_labels, wrong)
            named = (view[:source], reference_labels) if source else (view, placed_labels)
            name_groups(axes, *named, "")
        panels[0].legend(
            handles=_legend(source, wrong),
            loc="lower left",
            bbox_to_anchor=(0, 1),
            borderaxespad=0.2,
            ncols=3,
            columnspacing=1.4,
            handletextpad=0.2,
        )
    return figure


def _legend(source: int, wrong: NDArray[np.bool_]) -> list[Any]:
    from matplotlib.lines import Line2D

    mistakes = int(wrong.sum())
    right = len(wrong) - mistakes
    common: dict[str, Any] = {"linestyle": "none"}
    return [
        Line2D([], [], marker="o", color=SOURCE_KEY, markersize=5, label=f"source ({source:,})", **common),
        Line2D([], [], marker="o", color=GRAY, markersize=6, label=f"target, right ({right:,})", **common),
        Line2D(
            [], [], marker="X", color=GRAY, markeredgecolor=INK, markersize=8,
            label=f"target, misclassified ({mistakes:,})", **common,
        ),
    ]  # fmt: skip
