"""A network's feature space on paper: its map, its clusters and their tree, and what the measures made of it say."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.style import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PALE,
    PALE_BLUE,
    RED,
    drawing,
    footnote,
    group_colour,
    notice,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

    from experiments.analysis.agreement import Agreement
    from experiments.analysis.clusters import CountChoice, Tree
    from experiments.analysis.confusing import Ranking
    from experiments.analysis.oddities import Centroids

CLASSES = 10
PANEL = 5.4  # inches, the side of a map
VIEWS = ((25.0, 20.0), (205.0, 20.0))  # azimuth and elevation in degrees: what one hides lies in front in the other
HAZE = 0.6  # share of white in the farthest point's colour
INK_A_MAP = 60_000  # points² of ink that all points of a map have together
SCORE_SHADES = ("#E3DED2", "#F0C267", "#DE7A1E", "#B03A12", "#5E1410")  # as on the explorer's page
SCORE_TICKS = (0, 0.4, 0.6, 0.8, 1)
EMPHASIS = 2.5  # power of a score that its shade goes by, so that the most confusing stand out
NAME_HEIGHT, NAME_PADDING, NAME_CHARACTER = 0.27, 0.17, 0.11  # inches, of a group's name in its frame
WORTH_A_SHARE = 0.5  # per cent, from which a share is written beside a count
MIXED = -1  # instead of a digit, for a branch that holds leaves of several


def feature_map(
    positions: NDArray[np.float32],
    values: NDArray[Any],
    title: str,
    kind: Literal["digits", "clusters", "scores"],
) -> "Figure":
    """Return a map of n points, one panel for a flat one, two views a quarter turn apart for one in space.

    Parameters
    ----------
    positions
        (n, 2) or (n, 3), of any scale; n may be 0.
    values
        What colours the points, (n,): digits 0..9, clusters from 0, or scores in [0, 1], the larger on top.
    title
        Says data, model, and what is coloured.
    kind
        What `values` are. Digits and clusters have their name at the median of their points.

    Raises
    ------
    ValueError
        For positions of another shape.
    """
    if positions.ndim != 2 or positions.shape[1] not in {2, 3}:
        raise ValueError(f"positions must have shape (n, 2) or (n, 3), received {positions.shape}")
    in_space = positions.shape[1] == 3
    with drawing(title, PANEL * (1 + in_space) + 0.3, PANEL + 0.7) as figure:
        if not len(positions):
            notice(figure, "no points")
            return figure
        views = [_seen_from(positions, *view) for view in VIEWS] if in_space else [_flat(positions)]
        reach = max(float(np.abs(view[:, :2]).max()) for view in views) * 1.03 or 1.0
        panels = figure.subplots(1, len(views), squeeze=False)[0]
        for axes, view in zip(panels, views, strict=True):
            _bare(axes, reach)
            if kind == "scores":
                points = _score_points(axes, view, values)
            else:
                _group_points(axes, view, values)
                _name_groups(axes, view, values, "c" if kind == "clusters" else "")
        if kind == "scores":
            figure.colorbar(
                points, ax=panels, shrink=0.6, aspect=30, pad=0.01, label="confusion score", ticks=SCORE_TICKS
            )
        footnote(figure, _how_to_read(kind, in_space))
    return figure


def _flat(positions: NDArray[Any]) -> NDArray[np.float64]:
    return np.column_stack([_centred(positions), np.zeros(len(positions))])


def _seen_from(positions: NDArray[Any], azimuth: float, elevation: float) -> NDArray[np.float64]:
    """Return how far right, up and near each point lies, (n, 3), seen from so many degrees around and above."""
    (cos_a, cos_e), (sin_a, sin_e) = np.cos(np.radians([azimuth, elevation])), np.sin(np.radians([azimuth, elevation]))
    right = [-sin_a, cos_a, 0]
    up = [-sin_e * cos_a, -sin_e * sin_a, cos_e]
    near = [cos_e * cos_a, cos_e * sin_a, sin_e]
    return _centred(_centred(positions) @ np.array([right, up, near]).T)


def _centred(positions: NDArray[Any]) -> NDArray[np.float64]:
    exact = positions.astype(np.float64)
    return exact - (exact.min(axis=0) + exact.max(axis=0)) / 2


def _bare(axes: "Axes", reach: float) -> None:
    """Show -reach to reach both ways, without ticks: the coordinates of such a map mean nothing."""
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    axes.set_axis_off()


def _group_points(axes: "Axes", view: NDArray[np.float64], groups: NDArray[Any]) -> None:
    """Draw the far points first, and paler."""
    from matplotlib.colors import to_rgb

    order = np.argsort(view[:, 2], kind="stable")
    nearness = view[order, 2] - view[order[0], 2]
    haze = HAZE * (1 - nearness / nearness[-1])[:, None] if nearness[-1] else 0
    palette = np.array([to_rgb(group_colour(group)) for group in range(int(groups.max()) + 1)])
    colours = palette[groups[order]]
    _dots(axes, view[order], c=colours + (1 - colours) * haze)


def _score_points(axes: "Axes", view: NDArray[np.float64], scores: NDArray[Any]) -> Any:
    from matplotlib.colors import LinearSegmentedColormap, PowerNorm

    order = np.argsort(scores, kind="stable")
    shades = LinearSegmentedColormap.from_list("scores", SCORE_SHADES)
    return _dots(axes, view[order], c=scores[order], cmap=shades, norm=PowerNorm(EMPHASIS, 0, 1))


def _dots(axes: "Axes", places: NDArray[np.float64], **colours: Any) -> Any:
    size = float(np.clip(INK_A_MAP / len(places), 2, 16))
    return axes.scatter(places[:, 0], places[:, 1], s=size, linewidths=0, rasterized=True, **colours)


def _name_groups(axes: "Axes", view: NDArray[np.float64], groups: NDArray[Any], prefix: str) -> None:
    from matplotlib.colors import to_rgb

    names = np.unique(groups)
    medians = np.stack([np.median(view[groups == name, :2], axis=0) for name in names])
    reach = axes.get_xlim()[1]
    width = NAME_PADDING + NAME_CHARACTER * len(f"{prefix}{names[-1]}")
    places = _apart(medians, np.array([width, NAME_HEIGHT]) * 2 * reach / PANEL, reach)
    for name, (x, y) in zip(names, places, strict=True):
        colour = group_colour(int(name))
        frame = {"boxstyle": "round,pad=0.25", "facecolor": colour, "edgecolor": "white", "linewidth": 1.5}
        brightness = np.dot(to_rgb(colour), (0.299, 0.587, 0.114))
        axes.text(
            x, y, f"{prefix}{name}", ha="center", va="center", fontsize=10, fontweight="bold",
            color=INK if brightness > 0.5 else "white", bbox=frame,
        )  # fmt: skip


def _apart(places: NDArray[np.float64], size: NDArray[np.float64], reach: float) -> NDArray[np.float64]:
    """Return places (n, 2) in -reach..reach, moved until boxes of `size` around them are apart, or nearly so."""
    moved, numbers = places.copy(), np.arange(len(places))
    before = np.sign(np.subtract.outer(numbers, numbers))[..., None]  # of two at the same place, the first goes down
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


def cluster_count(choice: "CountChoice", title: str) -> "Figure":
    """Return the curves by which a number of clusters is chosen, with those it could be.

    Parameters
    ----------
    choice
        Of `experiments.analysis.clusters.kmeans`; may have tried nothing.
    title
        Says data and model.
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
    """Mark three numbers of clusters in ways that can be told apart where they are one."""
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


def contingency_heatmap(agreement: "Agreement", title: str) -> "Figure":
    """Return the counts of each digit in each cluster, the clusters in the order of their most frequent digit.

    Parameters
    ----------
    agreement
        Of clusters with digits, of which some may not occur.
    title
        Says data, model and clusters.
    """
    with drawing(title, max(7.5, 2.2 + 0.72 * agreement.k), 7) as figure:
        if not agreement.contingency.any():
            notice(figure, "no images")
            return figure
        order = _diagonal_order(agreement)
        counts = agreement.contingency[:, order]
        shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes = figure.add_subplot()
        texts = [
            [_count_and_share(*cell) for cell in zip(*rows, strict=True)] for rows in zip(counts, shares, strict=True)
        ]
        _heatmap(axes, shares, texts, _blues(), (0, 100), bar="per cent of the digit's images")
        for text in axes.texts:
            text.set(fontsize=8, color=INK if "\n" in text.get_text() else GREY)
        sizes, majority = counts.sum(axis=0), counts.argmax(axis=0)
        heads = [f"c{c}\n{size:,}\nmostly {m}" for c, size, m in zip(order, sizes, majority, strict=True)]
        axes.set_xticks(np.arange(agreement.k) + 0.5, heads, fontsize=8)
        axes.set(xlabel="cluster, its images, its most frequent digit", ylabel="digit")
        footnote(figure, _in_numbers(agreement))
    return figure


def _diagonal_order(agreement: "Agreement") -> list[int]:
    """Return the clusters by their most frequent digit, and of one digit's those first that hold more of it."""
    return np.lexsort((-agreement.contingency.max(axis=0), agreement.majority)).tolist()


def _count_and_share(count: int, share: float) -> str:
    if not count:
        return ""
    return f"{count:,}\n{share:.0f} %" if share >= WORTH_A_SHARE else f"{count:,}"


def _in_numbers(agreement: "Agreement") -> str:
    return (
        f"Purity {agreement.purity:.3f}, adjusted Rand index {agreement.ari:.3f}, "
        f"adjusted mutual information {agreement.ami:.3f}."
    )


@dataclass(frozen=True, eq=False)
class _Branches:
    """The top of a tree: b leaves, numbered 0 to b - 1, and b - 1 merges, numbered from b in the order of joining.

    Attributes
    ----------
    linkage
        As SciPy has it, float64 (b - 1, 4), with heights that never fall.
    lifted
        How many heights were raised for that.
    sizes, shares
        Points of each leaf, and the part of them that is of its most frequent digit, (b,).
    digits
        Of each leaf its most frequent digit, (b,).
    majority
        Digit that more than half of each of its leaves is of, or `MIXED`; of leaves, then of merges, (2 b - 1,).
    """

    linkage: NDArray[np.float64]
    lifted: int
    sizes: NDArray[np.int64]
    shares: NDArray[np.float64]
    digits: NDArray[np.int64]
    majority: NDArray[np.int64]


def dendrogram(tree: "Tree", labels: NDArray[np.int64], title: str, branches: int = 20) -> "Figure":
    """Return the top of Ward's tree, each leaf a branch with its most frequent digit.

    Parameters
    ----------
    tree
        Over n points.
    labels
        Digits, (n,).
    title
        Says data and model.
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
            "At each leaf its most frequent digit. Branches have the colour of the digit "
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
    """Draw the lines, from the root at the left, and return the leaves from the uppermost down."""
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
    colours = [_branch_colour(top, node) for node in owners]
    axes.add_collection(LineCollection(lines, colors=colours, linewidths=2.2, capstyle="projecting"))
    axes.grid(visible=False, axis="y")
    return leaves


def _branch_colour(top: _Branches, node: int) -> str:
    digit = int(top.majority[node])
    return GREY if digit == MIXED else group_colour(digit)


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
    colours = [_branch_colour(top, leaf) for leaf in leaves]
    axes.scatter(np.zeros(len(leaves)), np.arange(len(leaves)), c=colours, s=30, clip_on=False, zorder=3)


def centroid_distances(centroids: "Centroids", title: str) -> "Figure":
    """Return how far the means of the classes are apart, with how far each class reaches on the diagonal.

    Parameters
    ----------
    centroids
        Of the classes that occur; may be none.
    title
        Says data and model.
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
    """Return the decimal places at which a number has three digits."""
    return int(np.clip(2 - np.floor(np.log10(highest)), 0, 6)) if highest > 0 else 0


def measure_agreement(ranking: "Ranking", title: str) -> "Figure":
    """Return Spearman's rank correlation of each pair of measures of how confusing a digit is.

    Parameters
    ----------
    ranking
        Of n digits; n may be 0.
    title
        Says data, split and model.
    """
    from matplotlib.colors import LinearSegmentedColormap

    from experiments.analysis.confusing import MEASURES

    names = list(ranking.measures)
    with drawing(title, 8, 6.2) as figure:
        if not len(ranking.order):
            notice(figure, "no digits were ranked")
            return figure
        values = np.eye(len(names))
        for (first, second), correlation in ranking.agreement.items():
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
    """Draw a heatmap whose `plain` cells are grey: what they say has no place on the scale."""
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
    """Return shades from white to a blue on which black can be read."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("blues", ["white", PALE_BLUE])
