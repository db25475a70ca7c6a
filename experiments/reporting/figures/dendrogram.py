"""Dendrogram of the top of a cluster hierarchy."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import CLASSES
from experiments.reporting.figures.style import GREY, INK, drawing, footnote, group_color, notice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from experiments.analysis.clusters import Tree

MIXED = -1  # instead of a digit, for a branch that holds leaves of several


@dataclass(frozen=True, eq=False)
class _Branches:
    """The top of a tree: leaves 0 to b - 1, and b - 1 merges, numbered from b in their order.

    Attributes
    ----------
    linkage
        SciPy's linkage matrix, float64 (b - 1, 4), with nondecreasing heights.
    lifted
        Number of heights that were raised to be nondecreasing.
    sizes, shares
        Number of points of each leaf, and the proportion of its most frequent digit, (b,).
    digits
        Most frequent digit of each leaf, (b,).
    majority
        Digit with the majority in all leaves of a node, or `MIXED`; leaves first, then merges, (2 b - 1,).
    """

    linkage: NDArray[np.float64]
    lifted: int
    sizes: NDArray[np.int64]
    shares: NDArray[np.float64]
    digits: NDArray[np.int64]
    majority: NDArray[np.int64]


def dendrogram(tree: "Tree", labels: NDArray[np.int64], title: str, branches: int = 20) -> "Figure":
    """Draw the top of Ward's tree; each leaf is a branch, labeled with its most frequent digit.

    Parameters
    ----------
    tree
        Over n points.
    labels
        Digits, (n,).
    title
        Should name data and model.
    branches
        Leaves to show, at least 2; n where there are fewer points.
    """
    count = min(max(branches, 2), len(labels))
    with drawing(title, 9, 1.4 + 0.27 * max(count, 6)) as figure:
        if count < 2:
            notice(figure, "a tree needs two points")
            return figure
        top = _top_of(tree, labels, count)
        axes = figure.add_subplot()
        leaves = _draw_branches(axes, top)
        _describe_leaves(axes, top, leaves)
        axes.set(yticks=[], ylim=(count - 0.4, -1.5), xlabel="height of the merge (Ward's distance)")
        axes.set_xlim(float(top.linkage[-1, 2]) * 1.02 or 1.0, 0)
        axes.xaxis.set_major_formatter("{x:,g}")
        axes.spines["left"].set_visible(False)
        raised = (
            f"\nMerges that are lower than one of their parts, drawn as high as it: {top.lifted}." if top.lifted else ""
        )
        footnote(
            figure,
            "At each leaf its most frequent digit. Branches have the color of the digit "
            f"that has the majority in all their leaves.{raised}",
        )
    return figure


def _top_of(tree: "Tree", labels: NDArray[np.int64], count: int) -> _Branches:
    points = len(labels)
    nodes, leaf = np.unique(tree.branches(count), return_inverse=True)
    number = dict(zip(nodes.tolist(), range(count), strict=True))
    number |= {2 * points - count + merge: count + merge for merge in range(count - 1)}
    children = np.array([[number[int(node)] for node in pair] for pair in tree.children[points - count :]])
    heights = tree.heights[points - count :]
    rising = np.maximum.accumulate(heights)
    counts = np.zeros((count, CLASSES), np.int64)
    np.add.at(counts, (leaf, labels), 1)
    sizes = counts.sum(axis=1)
    digits, shares = counts.argmax(axis=1), counts.max(axis=1) / sizes
    majority, leaves = np.where(shares > 0.5, digits, MIXED).tolist(), [1] * count
    for left, right in children:
        majority.append(majority[left] if majority[left] == majority[right] else MIXED)
        leaves.append(leaves[left] + leaves[right])
    return _Branches(
        linkage=np.column_stack([children, rising, leaves[count:]]).astype(np.float64),
        lifted=int((rising > heights).sum()),
        sizes=sizes,
        shares=shares,
        digits=digits,
        majority=np.array(majority),
    )


def _draw_branches(axes: "Axes", top: _Branches) -> list[int]:
    """Draw the lines with the root at the left, and return the leaves from top to bottom."""
    from matplotlib.collections import LineCollection
    from scipy.cluster import hierarchy

    leaves: list[int] = hierarchy.dendrogram(top.linkage, no_plot=True, count_sort="descending")["leaves"]
    place = {leaf: float(row) for row, leaf in enumerate(leaves)}
    height = dict.fromkeys(leaves, 0.0)
    lines, owners = [], []
    for node, (left, right, at, _) in enumerate(top.linkage, start=len(leaves)):
        place[node], height[node] = (place[left] + place[right]) / 2, at
        lines += [[(at, place[left]), (at, place[right])]]
        lines += [[(height[child], place[child]), (at, place[child])] for child in (left, right)]
        owners += [node, int(left), int(right)]
    colors = [_branch_color(top, node) for node in owners]
    axes.add_collection(LineCollection(lines, colors=colors, linewidths=2.2, capstyle="projecting"))
    axes.grid(visible=False, axis="y")
    return leaves


def _branch_color(top: _Branches, node: int) -> str:
    digit = int(top.majority[node])
    return GREY if digit == MIXED else group_color(digit)


def _describe_leaves(axes: "Axes", top: _Branches, leaves: list[int]) -> None:
    columns = {
        "digit": (22, [f"{top.digits[leaf]}" for leaf in leaves]),
        "share": (78, [f"{100 * top.shares[leaf]:.1f} %" for leaf in leaves]),
        "images": (130, [f"{top.sizes[leaf]:,}" for leaf in leaves]),
    }
    for head, (offset, cells) in columns.items():
        for row, cell in enumerate([head, *cells], start=-1):
            axes.annotate(
                cell, (1, row), xycoords=("axes fraction", "data"), xytext=(offset, 0), textcoords="offset points",
                ha="right" if head != "digit" else "center", va="center", fontsize=9,
                color=GREY if row < 0 else INK, fontweight="bold" if row >= 0 and head == "digit" else "normal",
            )  # fmt: skip
    colors = [_branch_color(top, leaf) for leaf in leaves]
    axes.scatter(np.zeros(len(leaves)), np.arange(len(leaves)), c=colors, s=30, clip_on=False, zorder=3)
