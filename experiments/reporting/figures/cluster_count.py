"""The choice of the number of clusters."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from experiments.datasets import CLASSES
from experiments.reporting.figure_parts.style import BLUE, GRAY, ORANGE, PALE, RED, notice, themed_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def cluster_count(
    counts: Sequence[int], silhouettes: Sequence[float], inertias: Sequence[float], best: int, elbow: int, title: str
) -> "Figure":
    """Draw silhouette and inertia against the number of clusters, with the candidates marked.

    Parameters
    ----------
    counts
        Numbers of clusters, ascending; may be empty.
    silhouettes, inertias
        For each: mean silhouette, and sum of squared distances to the centers.
    best, elbow
        The number that was chosen, and the one at the elbow of the inertias; both among `counts`.
    title
        Should name data and model.
    """
    from matplotlib.ticker import MaxNLocator

    with themed_figure(title, 8, 6) as figure:
        if not counts:
            notice(figure, "no number of clusters could be tried")
            return figure
        upper, lower = figure.subplots(2, 1, sharex=True)
        for axes, values in ((upper, silhouettes), (lower, inertias)):
            axes.plot(counts, values, "o-", color=BLUE, markersize=4)
        ends = [counts[0], counts[-1]], [inertias[0], inertias[-1]]
        lower.plot(*ends, "--", color=GRAY, linewidth=1)
        _mark_counts(upper, lower, dict(zip(counts, zip(silhouettes, inertias, strict=True), strict=True)), best, elbow)
        upper.set_ylabel("mean silhouette")
        lower.set(xlabel="number of clusters k", ylabel="inertia", ylim=(0, None))
        lower.xaxis.set_major_locator(MaxNLocator(nbins=20, integer=True))
        lower.yaxis.set_major_formatter("{x:,.0f}")
        figure.legend(loc="outside lower left")
    return figure


def _mark_counts(
    upper: "Axes", lower: "Axes", measured: Mapping[int, tuple[float, float]], best: int, elbow: int
) -> None:
    """Mark three numbers of clusters so that they can be distinguished even if they are equal."""
    silhouette, _ = measured[best]
    chosen = f"k = {best}: chosen, as its silhouette is the largest ({silhouette:.3f})"
    upper.plot(best, silhouette, "o", color=ORANGE, markersize=10, zorder=4, label=chosen)
    silhouette, inertia = measured[elbow]
    bend = f"k = {elbow}: elbow, where inertia lies farthest below the dashed line (silhouette {silhouette:.3f})"
    lower.plot(elbow, inertia, "D", color=RED, markersize=8, zorder=4, label=bend)
    for axes in (upper, lower):
        axes.axvline(best, color=ORANGE, linewidth=1.5, zorder=1)
        if CLASSES in measured:
            axes.axvspan(CLASSES - 0.25, CLASSES + 0.25, color=PALE, linewidth=0, zorder=0.5)
    if CLASSES in measured:
        silhouette, _ = measured[CLASSES]
        as_digits = f"k = {CLASSES}: as many as there are digits (silhouette {silhouette:.3f})"
        lower.fill_between([], [], color=PALE, label=as_digits)
