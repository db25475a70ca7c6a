"""Groups in feature space, found without labels: KMeans, and Ward's hierarchy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.neighbours import Neighbours, nearest, nearest_to
from experiments.datasets import CLASSES

Points = NDArray[np.float32]
Clusters = NDArray[np.int64]

COUNTS = range(2, 21)  # numbers of clusters that are tried
SILHOUETTE_SAMPLE = 5000
RESTARTS = 3
WARD_NEIGHBOURS = 10
EXACT_SAMPLE = 10_000
BRIDGE_SAMPLE = 1000  # points of a part from which its nearest other is looked for


@dataclass(frozen=True, eq=False)
class CountChoice:
    """How the number of clusters was chosen.

    Attributes
    ----------
    counts
        Numbers that were tried, ascending.
    silhouettes, inertias
        For each: mean silhouette of a sample of at most 5,000 points, and the sum of squared distances to centres.
    best
        That of the largest silhouette: the rule.
    elbow
        Where the inertia's curve is farthest below the chord between its ends (Satopaa et al. 2011): for comparison.
    groupings
        The clusters (n,) for each count.
    """

    counts: tuple[int, ...]
    silhouettes: tuple[float, ...]
    inertias: tuple[float, ...]
    best: int
    elbow: int
    groupings: dict[int, Clusters]


def kmeans(
    points: Points, counts: Sequence[int] = COUNTS, on_step: Callable[[int, int], None] | None = None
) -> CountChoice:
    """Group points (n, d) into each number of clusters by KMeans (k-means++, best of 3 starts).

    Parameters
    ----------
    counts
        Numbers to try, ascending, and ten; of these are used those below n, and no more than there are different
        points.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    different = len(np.unique(points, axis=0))
    # Where there is nothing to divide, all are one group.
    tried = [count for count in sorted({*counts, CLASSES}) if count < min(len(points), different + 1)] or [1]
    sample = np.random.default_rng(0).permutation(len(points))[:SILHOUETTE_SAMPLE]
    groupings, silhouettes, inertias = {}, [], []
    for step, count in enumerate(tried):
        found = KMeans(count, n_init=RESTARTS, random_state=0).fit(points)
        groupings[count] = by_size(found.labels_)
        inertias.append(float(found.inertia_))
        several = 1 < len(np.unique(found.labels_[sample])) < len(sample)
        silhouettes.append(float(silhouette_score(points[sample], found.labels_[sample])) if several else 0.0)
        if on_step:
            on_step(step + 1, len(tried))
    best = tried[int(np.argmax(silhouettes))]
    return CountChoice(tuple(tried), tuple(silhouettes), tuple(inertias), best, elbow(tried, inertias), groupings)


def elbow(counts: Sequence[int], inertias: Sequence[float]) -> int:
    """Return the count at which a falling curve is farthest below the straight line between its ends."""
    x, y = np.asarray(counts, float), np.asarray(inertias, float)
    if len(x) < 3 or y[0] <= y[-1]:
        return int(x[0])
    below = (x[-1] - x) / (x[-1] - x[0]) - (y - y[-1]) / (y[0] - y[-1])
    return int(x[np.argmax(below)])


@dataclass(frozen=True, eq=False)
class Tree:
    """Ward's hierarchy of n points.

    Attributes
    ----------
    children
        int64 (n - 1, 2): what each merge joins; below n a point, else merge number + n, as in SciPy.
    heights
        float64 (n - 1,): Ward's distance of what is joined.
    """

    children: NDArray[np.int64]
    heights: NDArray[np.float64]

    def cut(self, count: int) -> Clusters:
        """Return the cluster (n,) of each point, numbered by size from 0, when so many clusters are left."""
        return by_size(self.branches(count))

    def branches(self, count: int) -> Clusters:
        """Return, (n,), the node that each point hangs on when so many, 1 to n, are left."""
        points = len(self.children) + 1
        if not 1 <= count <= points:
            raise ValueError(f"a tree of {points} points has 1 to {points} clusters. Received: {count}")
        owner = np.arange(2 * points - count)
        for merge in range(points - count - 1, -1, -1):
            owner[self.children[merge]] = owner[points + merge]
        return owner[:points]


def ward(points: Points, neighbours: Neighbours) -> Tree:
    """Return Ward's hierarchy of points (n, d), in which only neighbours are joined.

    Exact Ward needs all n^2 distances: 19.6 GB for 70,000 points. Here a cluster may be joined only to one that holds
    one of the 10 nearest neighbours of a member, so that a heap of ties is enough.
    """
    from sklearn.cluster import ward_tree

    ties = _connected(_ties(neighbours.first(min(WARD_NEIGHBOURS, neighbours.k))), points)
    children, _, _, _, heights = ward_tree(points, connectivity=ties, return_distance=True)
    return Tree(np.asarray(children, np.int64), np.asarray(heights, np.float64))


def _ties(neighbours: Neighbours) -> Any:
    from scipy.sparse import csr_array

    n, k = neighbours.indices.shape
    starts = np.arange(0, n * k + 1, k)
    one_way = csr_array((np.ones(n * k, np.float32), neighbours.indices.ravel(), starts), shape=(n, n))
    return one_way + one_way.T


def _connected(ties: Any, points: Points) -> Any:
    """Return ties with one more from each part that hangs together to another, until all is one part.

    scikit-learn would take all distances between the parts for it.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count, parts = connected_components(ties, directed=False)
    while count > 1:
        pairs = np.array([_bridge(points, parts == part) for part in range(count)])
        both_ways = np.concatenate([pairs, pairs[:, ::-1]])
        ties = ties + coo_array((np.ones(len(both_ways), np.float32), both_ways.T), shape=ties.shape).tocsr()
        count, parts = connected_components(ties, directed=False)
    return ties


def _bridge(points: Points, inside: NDArray[np.bool_]) -> tuple[int, int]:
    """Return a near pair of a point inside and one outside, looked for among a sample of those inside."""
    own, others = np.flatnonzero(inside), np.flatnonzero(~inside)
    own = own[np.random.default_rng(0).permutation(len(own))[:BRIDGE_SAMPLE]]
    found = nearest_to(points[own], points[others], 1)
    place = int(found.distances[:, 0].argmin())
    return int(own[place]), int(others[found.indices[place, 0]])


def agreement_with_exact(points: Points, count: int = CLASSES) -> tuple[float, int]:
    """Return the adjusted Rand index, at `count` clusters, of `ward` with exact Ward on a sample, and its size.

    The sample has at most 10,000 of the points (n, d), so that exact Ward (Müllner 2013) is affordable.
    """
    from scipy.cluster.hierarchy import ward as exact_ward
    from sklearn.metrics import adjusted_rand_score

    sample = points[np.random.default_rng(0).permutation(len(points))[:EXACT_SAMPLE]]
    count = min(count, len(sample))
    exact = exact_ward(sample)
    own = ward(sample, nearest(sample, min(WARD_NEIGHBOURS, len(sample) - 1)))
    full = Tree(exact[:, :2].astype(np.int64), exact[:, 2])
    return float(adjusted_rand_score(full.cut(count), own.cut(count))), len(sample)


def by_size(clusters: NDArray[np.integer]) -> Clusters:
    """Return clusters (n,) renumbered from the largest, 0, to the smallest."""
    _, numbered, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    order = np.argsort(-sizes, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rank[numbered].astype(np.int64)
