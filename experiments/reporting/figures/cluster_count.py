"""The choice of the number of clusters."""

from typing import TYPE_CHECKING

from experiments.datasets import CLASSES
from experiments.reporting.figures.style import BLUE, GREY, ORANGE, PALE, RED, drawing, notice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from experiments.analysis.clusters import CountChoice


def cluster_count(choice: "CountChoice", title: str) -> "Figure":
    """Draw silhouette and inertia against the number of clusters, and mark the candidates.

    Parameters
    ----------
    choice
        Of `experiments.analysis.clusters.kmeans`; may have tried nothing.
    title
        Should name data and model.
    """
    from matplotlib.ticker import MaxNLocator

    with drawing(title, 8, 6) as figure:
        if not choice.counts:
            notice(figure, "no number of clusters could be tried")
            return figure
        upper, lower = figure.subplots(2, 1, sharex=True)
        for axes, values in ((upper, choice.silhouettes), (lower, choice.inertias)):
            axes.plot(choice.counts, values, "o-", color=BLUE, markersize=4)
        ends = [choice.counts[0], choice.counts[-1]], [choice.inertias[0], choice.inertias[-1]]
        lower.plot(*ends, "--", color=GREY, linewidth=1)
        _mark_counts(upper, lower, choice)
        upper.set_ylabel("mean silhouette")
        lower.set(xlabel="number of clusters k", ylabel="inertia", ylim=(0, None))
        lower.xaxis.set_major_locator(MaxNLocator(nbins=20, integer=True))
        lower.yaxis.set_major_formatter("{x:,.0f}")
        figure.legend(loc="outside lower left")
    return figure


def _mark_counts(upper: "Axes", lower: "Axes", choice: "CountChoice") -> None:
    """Mark three numbers of clusters so that they can be distinguished even if they are equal."""
    silhouettes, inertias = (dict(zip(choice.counts, of, strict=True)) for of in (choice.silhouettes, choice.inertias))
    best, elbow = choice.best, choice.elbow
    chosen = f"k = {best}: chosen, as its silhouette is the largest ({silhouettes[best]:.3f})"
    upper.plot(best, silhouettes[best], "o", color=ORANGE, markersize=10, zorder=4, label=chosen)
    bend = (
        f"k = {elbow}: elbow, where inertia lies farthest below the dashed line (silhouette {silhouettes[elbow]:.3f})"
    )
    lower.plot(elbow, inertias[elbow], "D", color=RED, markersize=8, zorder=4, label=bend)
    for axes in (upper, lower):
        axes.axvline(best, color=ORANGE, linewidth=1.5, zorder=1)
        if CLASSES in silhouettes:
            axes.axvspan(CLASSES - 0.25, CLASSES + 0.25, color=PALE, linewidth=0, zorder=0.5)
    if CLASSES in silhouettes:
        as_digits = f"k = {CLASSES}: as many as there are digits (silhouette {silhouettes[CLASSES]:.3f})"
        lower.fill_between([], [], color=PALE, label=as_digits)
