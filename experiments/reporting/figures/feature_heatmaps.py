"""Heatmaps of clusters against classes, distances of class means, and correlations of confusion measures."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figures.style import GREY, INK, ORANGE, PALE, PALE_BLUE, drawing, footnote, notice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

    from experiments.analysis.centroids import Centroids
    from experiments.analysis.cluster_metrics import ClusterMetrics
    from experiments.analysis.confusing import Ranking

WORTH_A_SHARE = 0.5  # percent, from which a proportion is written next to a count


def contingency_heatmap(metrics: "ClusterMetrics", title: str) -> "Figure":
    """Draw the counts of each digit in each cluster, sorted by the most frequent digit.

    Parameters
    ----------
    metrics
        Of clusters with digits, of which some may not occur.
    title
        Should name data, model and clusters.
    """
    with drawing(title, max(7.5, 2.2 + 0.72 * metrics.k), 7) as figure:
        if not metrics.contingency.any():
            notice(figure, "no images")
            return figure
        order = _diagonal_order(metrics)
        counts = metrics.contingency[:, order]
        shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes = figure.add_subplot()
        texts = [
            [_count_and_share(*cell) for cell in zip(*rows, strict=True)] for rows in zip(counts, shares, strict=True)
        ]
        _heatmap(axes, shares, texts, _blues(), (0, 100), bar="percent of the digit's images")
        for text in axes.texts:
            text.set(fontsize=8, color=INK if "\n" in text.get_text() else GREY)
        sizes, majority = counts.sum(axis=0), counts.argmax(axis=0)
        heads = [f"c{c}\n{size:,}\nmostly {m}" for c, size, m in zip(order, sizes, majority, strict=True)]
        axes.set_xticks(np.arange(metrics.k) + 0.5, heads, fontsize=8)
        axes.set(xlabel="cluster, its images, its most frequent digit", ylabel="digit")
        footnote(figure, _in_numbers(metrics))
    return figure


def _diagonal_order(metrics: "ClusterMetrics") -> list[int]:
    """Return the clusters sorted by most frequent digit, then by its count, descending."""
    return np.lexsort((-metrics.contingency.max(axis=0), metrics.majority)).tolist()


def _count_and_share(count: int, share: float) -> str:
    if not count:
        return ""
    return f"{count:,}\n{share:.0f} %" if share >= WORTH_A_SHARE else f"{count:,}"


def _in_numbers(metrics: "ClusterMetrics") -> str:
    return (
        f"Purity {metrics.purity:.3f}, adjusted Rand index {metrics.ari:.3f}, "
        f"adjusted mutual information {metrics.ami:.3f}."
    )


def centroid_distances(centroids: "Centroids", title: str) -> "Figure":
    """Draw the distances between the class means, with the spread of each class on the diagonal.

    Parameters
    ----------
    centroids
        Of the classes that occur; may be none.
    title
        Should name data and model.
    """
    count = len(centroids.digits)
    with drawing(title, 7.5, 7) as figure:
        if not count:
            notice(figure, "no images")
            return figure
        axes = figure.add_subplot()
        own = np.eye(count, dtype=bool)
        values = np.where(own, centroids.spreads, centroids.distances)
        places = _places(float(values.max()))
        texts = [[f"{value:,.{places}f}" for value in row] for row in values]
        apart = centroids.distances[~own]
        ends = (float(apart.min()), float(apart.max())) if apart.size else (0.0, 1.0)
        _heatmap(axes, values, texts, _blues().reversed(), ends, bar="distance between class means", plain=own)
        axes.set_xticks(np.arange(count) + 0.5, [str(digit) for digit in centroids.digits])
        axes.set_yticks(np.arange(count) + 0.5, [str(digit) for digit in centroids.digits])
        axes.set(xlabel="digit", ylabel="digit")
        spreads = "On the grey diagonal, a digit's spread: root mean square distance of its images from their mean."
        nearest = ", ".join(f"{a} and {b} ({apart:,.{places}f})" for a, b, apart in centroids.closest[:3])
        footnote(figure, f"{spreads}\nThe closest pairs: {nearest}." if nearest else spreads)
    return figure


def _places(highest: float) -> int:
    """Return the number of decimal places that shows three significant digits."""
    return int(np.clip(2 - np.floor(np.log10(highest)), 0, 6)) if highest > 0 else 0


def measure_agreement(ranking: "Ranking", title: str) -> "Figure":
    """Draw Spearman's rank correlation of each pair of confusion measures.

    Parameters
    ----------
    ranking
        Of n digits; n may be 0.
    title
        Should name data, split and model.
    """
    from matplotlib.colors import LinearSegmentedColormap

    from experiments.analysis.confusing import MEASURES

    names = list(ranking.measures)
    with drawing(title, 8, 6.2) as figure:
        if not len(ranking.order):
            notice(figure, "no digits were ranked")
            return figure
        values = np.eye(len(names))
        for (first, second), correlation in ranking.correlations.items():
            i, j = names.index(first), names.index(second)
            values[i, j] = values[j, i] = correlation
        axes = figure.add_subplot()
        own = np.eye(len(names), dtype=bool)
        texts = [["" if i == j else f"{value:.3f}" for j, value in enumerate(row)] for i, row in enumerate(values)]
        shades = LinearSegmentedColormap.from_list("signed", [ORANGE, "white", PALE_BLUE])
        _heatmap(axes, values, texts, shades, (-1, 1), bar="Spearman's rank correlation", plain=own)
        spoken = [name.replace("_", " ") for name in names]
        axes.set_xticks(np.arange(len(names)) + 0.5, [name.replace(" ", "\n") for name in spoken], fontsize=10)
        axes.set_yticks(np.arange(len(names)) + 0.5, spoken, fontsize=10)
        meanings = [f"{said}: {MEASURES[name]}." for name, said in zip(names, spoken, strict=True) if name in MEASURES]
        footnote(figure, "\n".join(meanings))
    return figure


def _heatmap(
    axes: "Axes",
    values: NDArray[Any],
    texts: list[list[str]],
    shades: "Colormap",
    ends: tuple[float, float],
    bar: str,
    plain: NDArray[np.bool_] | None = None,
) -> None:
    """Draw a heatmap whose `plain` cells are gray, as they are not on the scale."""
    import seaborn

    common: dict[str, Any] = {"annot": texts, "fmt": "", "linewidths": 1, "linecolor": PALE, "ax": axes}
    common["annot_kws"] = {"color": INK, "linespacing": 1.05}
    scale = {"label": bar, "shrink": 0.8, "pad": 0.02, "fraction": 0.04, "aspect": 30}
    masks = {} if plain is None else {"mask": plain}
    seaborn.heatmap(values, vmin=ends[0], vmax=ends[1], cmap=shades, cbar_kws=scale, **masks, **common)
    if plain is not None:
        seaborn.heatmap(values, mask=~plain, cmap=[PALE], cbar=False, **common)
    axes.tick_params(length=0, labelrotation=0)


def _blues() -> "Colormap":
    """Return a colormap from white to a blue that is light enough for black text."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("blues", ["white", PALE_BLUE])
