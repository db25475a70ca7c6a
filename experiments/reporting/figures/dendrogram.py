"""Dendrogram of the top of a cluster hierarchy."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figure_parts.style import GRAY, INK, footnote, group_color, notice, themed_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MIXED = -1  # instead of a digit, for a branch that holds leaves of several


@dataclass(frozen=True, eq=False)
class _Tree:
    """A tree of b leaves, 0 to b - 1, and b - 1 merges, numbered from b in their order.

    Attributes
    ----------
    linkage
        SciPy's linkage matrix, float64 (b - 1, 4), with nondecreasing heights.
    lifted
        Number of heights that were raised to be nondecreasing.
    counts
        Images of each digit in each leaf, int64 (b, 10).
    majority
        Digit with the majority in all leaves of a node, or `MIXED`; leaves first, then merges, (2 b - 1,).
    """

    linkage: NDArray[np.float64]
    lifted: int
    counts: NDArray[np.int64]
    majority: NDArray[np.int64]


def dendrogram(
    children: NDArray[np.int64], heights: NDArray[np.float64], counts: NDArray[np.int64], title: str
) -> "Figure":
    """Draw the top of a cluster hierarchy as a tree, each leaf labeled with its most frequent digit.

    Parameters
    ----------
    children
        The two nodes of each merge, int64 (b - 1, 2): below b a leaf, otherwise merge number + b.
    heights
        Height of each merge, float64 (b - 1,).
    counts
        Images of each digit in each leaf, int64 (b, 10); b may be below 2.
    title
        Should name data and model.
    """
    leaves = len(counts)
    with themed_figure(title, 9, 1.4 + 0.27 * max(leaves, 6)) as figure:
        if leaves < 2:
            notice(figure, "a tree needs two points")
            return figure
        tree = _tree(children, heights, counts)
        axes = figure.add_subplot()
        _describe_leaves(axes, tree, _draw_branches(axes, tree))
        axes.set(yticks=[], ylim=(leaves - 0.4, -1.5), xlabel="height of the merge (Ward's distance)")
        axes.set_xlim(float(tree.linkage[-1, 2]) * 1.02 or 1.0, 0)
        axes.xaxis.set_major_formatter("{x:,g}")
        axes.spines["left"].set_visible(False)
        lifted = f"\nMerges that are lower than one of their parts, drawn as high as it: {tree.lifted}."
        footnote(
            figure,
            "At each leaf its most frequent digit. Branches have the color of the digit "
            f"that has the majority in all their leaves.{lifted if tree.lifted else ''}",
        )
    return figure


def _tree(children: NDArray[np.int64], heights: NDArray[np.float64], counts: NDArray[np.int64]) -> _Tree:
    rising = np.maximum.accumulate(heights)
    shares = counts.max(axis=1) / counts.sum(axis=1)
    majority, leaves = np.where(shares > 0.5, counts.argmax(axis=1), MIXED).tolist(), [1] * len(counts)
    for left, right in children:
        majority.append(majority[left] if majority[left] == majority[right] else MIXED)
        leaves.append(leaves[left] + leaves[right])
    linkage = np.column_stack([children, rising, leaves[len(counts) :]]).astype(np.float64)
    return _Tree(linkage, int((rising > heights).sum()), counts, np.array(majority))


def _draw_branches(axes: "Axes", tree: _Tree) -> list[int]:
    """Draw the lines with the root at the left, and return the leaves from top to bottom."""
    from matplotlib.collections import LineCollection
    from scipy.cluster import hierarchy

    leaves: list[int] = hierarchy.dendrogram(tree.linkage, no_plot=True, count_sort="descending")["leaves"]
    place = {leaf: float(row) for row, leaf in enumerate(leaves)}
    height = dict.fromkeys(leaves, 0.0)
    lines, owners = [], []
    for node, (left, right, at, _) in enumerate(tree.linkage, start=len(leaves)):
        place[node], height[node] = (place[left] + place[right]) / 2, at
        lines += [[(at, place[left]), (at, place[right])]]
        lines += [[(height[child], place[child]), (at, place[child])] for child in (left, right)]
        owners += [node, int(left), int(right)]
    colors = [_branch_color(tree, node) for node in owners]
    axes.add_collection(LineCollection(lines, colors=colors, linewidths=2.2, capstyle="projecting"))
    axes.grid(visible=False, axis="y")
    return leaves


def _branch_color(tree: _Tree, node: int) -> str:
    digit = int(tree.majority[node])
    return GRAY if digit == MIXED else group_color(digit)


def _describe_leaves(axes: "Axes", tree: _Tree, leaves: list[int]) -> None:
    counts = tree.counts[leaves]
    columns = {
        "digit": (22, [str(leaf.argmax()) for leaf in counts]),
        "share": (78, [f"{100 * leaf.max() / leaf.sum():.1f} %" for leaf in counts]),
        "images": (130, [f"{leaf.sum():,}" for leaf in counts]),
    }
    for head, (offset, cells) in columns.items():
        for row, cell in enumerate([head, *cells], start=-1):
            axes.annotate(
                cell, (1, row), xycoords=("axes fraction", "data"), xytext=(offset, 0), textcoords="offset points",
                ha="right" if head != "digit" else "center", va="center", fontsize=9,
                color=GRAY if row < 0 else INK, fontweight="bold" if row >= 0 and head == "digit" else "normal",
            )  # fmt: skip
    colors = [_branch_color(tree, leaf) for leaf in leaves]
    axes.scatter(np.zeros(len(leaves)), np.arange(len(leaves)), c=colors, s=30, clip_on=False, zorder=3)
