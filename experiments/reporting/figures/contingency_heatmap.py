"""Counts of each digit in each cluster."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figure_parts.cells import annotated_heatmap, blues
from experiments.reporting.figure_parts.style import GRAY, INK, footnote, notice, themed_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WORTH_A_SHARE = 0.5  # percent, from which a proportion is written next to a count


def contingency_heatmap(counts: NDArray[np.int64], purity: float, ari: float, ami: float, title: str) -> "Figure":
    """Draw the counts of each digit in each cluster as a heatmap, sorted by the most frequent digit.

    Parameters
    ----------
    counts
        Images of each digit in each cluster, int64 (10, k); may be all 0.
    purity, ari, ami
        Purity of the clusters, their adjusted Rand index, and their adjusted mutual information with the digits.
    title
        Should name data, model and clusters.
    """
    k = counts.shape[1]
    with themed_figure(title, max(7.5, 2.2 + 0.72 * k), 7) as figure:
        if not counts.any():
            notice(figure, "no images")
            return figure
        order = _diagonal_order(counts)
        counts = counts[:, order]
        shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes = figure.add_subplot()
        texts = [
            [_count_and_share(*cell) for cell in zip(*rows, strict=True)] for rows in zip(counts, shares, strict=True)
        ]
        annotated_heatmap(axes, shares, texts, blues(), (0, 100), "percent of the digit's images")
        for text in axes.texts:
            text.set(fontsize=8, color=INK if "\n" in text.get_text() else GRAY)
        sizes, majority = counts.sum(axis=0), counts.argmax(axis=0)
        heads = [f"c{c}\n{size:,}\nmostly {m}" for c, size, m in zip(order, sizes, majority, strict=True)]
        axes.set_xticks(np.arange(k) + 0.5, heads, fontsize=8)
        axes.set(xlabel="cluster, its images, its most frequent digit", ylabel="digit")
        footnote(
            figure,
            f"Purity {purity:.3f}, adjusted Rand index {ari:.3f}, adjusted mutual information {ami:.3f}.",
        )
    return figure


def _diagonal_order(counts: NDArray[np.int64]) -> list[int]:
    """Return the clusters sorted by most frequent digit, then by its count, descending."""
    return np.lexsort((-counts.max(axis=0), counts.argmax(axis=0))).tolist()


def _count_and_share(count: int, share: float) -> str:
    if not count:
        return ""
    return f"{count:,}\n{share:.0f} %" if share >= WORTH_A_SHARE else f"{count:,}"
