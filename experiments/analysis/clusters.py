"""Clusters in feature space, found without labels: KMeans, and Ward's hierarchical clustering."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.neighbors import Neighbors, nearest, nearest_to
from experiments.datasets import CLASSES

Points = NDArray[np.float32]
Clusters = NDArray[np.int64]

METHODS = MappingProxyType({"kmeans": "KMeans", "ward": "Ward"})
COUNTS = range(2, 21)  # numbers of clusters
SILHOUETTE_SAMPLE = 5000
RESTARTS = 3
WARD_NEIGHBORS = 10
EXACT_SAMPLE = 10_000
BRIDGE_SAMPLE = 1000  # points of a component whose nearest neighbors outside are searched


@dataclass(frozen=True, eq=False)
class CountChoice:
    """KMeans clusters for several numbers of clusters, and the chosen number.

    Attributes
    ----------
    counts
        Numbers of clusters, ascending.
    silhouettes, inertias
        For each: mean silhouette of a sample of at most 5,000 points, and sum of squared distances to the centers.
    best
        The number with the largest silhouette.
    elbow
        The number at which the curve of inertias is farthest below the chord between its ends (Satopaa et al. 2011),
        for comparison.
    groupings
        Clusters (n,) for each number.
    """

    counts: tuple[int, ...]
    silhouettes: tuple[float, ...]
    inertias: tuple[float, ...]
    best: int
    elbow: int
    groupings: dict[int, Clusters]

    @property
    def reported(self) -> tuple[int, ...]:
        """The numbers of clusters that are reported: ten, then the best one if it is another."""
        ten = CLASSES if CLASSES in self.groupings else max(self.counts)
        return (ten,) if self.best == ten else (ten, self.best)


def kmeans(
    points: Points, counts: Sequence[int] = COUNTS, on_step: Callable[[int, int], None] | None = None
) -> CountChoice:
    """Cluster points (n, d) by KMeans (k-means++, best of 3 starts) for each number of clusters.

    Parameters
    ----------
    counts
        Numbers of clusters, ascending; ten is added. Numbers not below n, or above the number of distinct points, are
        left out.
    on_step
        Called with the number of clusterings done and planned.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    distinct = len(np.unique(points, axis=0))
    # If there is nothing to divide, all points are one cluster.
    tried = [count for count in sorted({*counts, CLASSES}) if count < min(len(points), distinct + 1)] or [1]
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
    """Find the count at which a falling curve is farthest below the straight line between its ends."""
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
        The two nodes of each merge, int64 (n - 1, 2): below n a point, otherwise merge number + n, as in SciPy.
    heights
        Ward's distance of each merge, float64 (n - 1,).
    """

    children: NDArray[np.int64]
    heights: NDArray[np.float64]

    def cut(self, count: int) -> Clusters:
        """Cut the tree into `count` clusters (n,), numbered by size from 0."""
        return by_size(self.branches(count))

    def branches(self, count: int) -> Clusters:
        """Return the node (n,) above each point when `count` nodes, 1 to n, are left."""
        points = len(self.children) + 1
        if not 1 <= count <= points:
            raise ValueError(f"a tree of {points} points has 1 to {points} clusters. Received: {count}")
        owner = np.arange(2 * points - count)
        for merge in range(points - count - 1, -1, -1):
            owner[self.children[merge]] = owner[points + merge]
        return owner[:points]


def ward(points: Points, neighbors: Neighbors) -> Tree:
    """Compute Ward's hierarchy of points (n, d) over the graph of their nearest neighbors.

    Exact Ward needs all n^2 distances: 19.6 GB for 70,000 points. Here a cluster is merged only with clusters that
    contain one of the 10 nearest neighbors of a member.
    """
    from sklearn.cluster import ward_tree

    graph = _connected(_graph(neighbors.first(min(WARD_NEIGHBORS, neighbors.k))), points)
    children, _, _, _, heights = ward_tree(points, connectivity=graph, return_distance=True)
    return Tree(np.asarray(children, np.int64), np.asarray(heights, np.float64))


def _graph(neighbors: Neighbors) -> Any:
    from scipy.sparse import csr_array

    n, k = neighbors.indices.shape
    starts = np.arange(0, n * k + 1, k)
    directed = csr_array((np.ones(n * k, np.float32), neighbors.indices.ravel(), starts), shape=(n, n))
    return directed + directed.T


def _connected(graph: Any, points: Points) -> Any:
    """Add edges between the components of a graph until it is connected.

    scikit-learn does so too, but computes all distances between the components.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count, components = connected_components(graph, directed=False)
    while count > 1:
        edges = np.array([_bridge(points, components == component) for component in range(count)])
        edges = np.concatenate([edges, edges[:, ::-1]])
        graph = graph + coo_array((np.ones(len(edges), np.float32), edges.T), shape=graph.shape).tocsr()
        count, components = connected_components(graph, directed=False)
    return graph


def _bridge(points: Points, inside: NDArray[np.bool_]) -> tuple[int, int]:
    """Find the closest pair of a point inside, of a sample, and a point outside."""
    own, others = np.flatnonzero(inside), np.flatnonzero(~inside)
    own = own[np.random.default_rng(0).permutation(len(own))[:BRIDGE_SAMPLE]]
    found = nearest_to(points[own], points[others], 1)
    place = int(found.distances[:, 0].argmin())
    return int(own[place]), int(others[found.indices[place, 0]])


def reported_clusters(choice: CountChoice, tree: Tree) -> dict[tuple[str, int], Clusters]:
    """Return the clusters (n,) of each method for the numbers of clusters that are reported."""
    clusters = {"kmeans": choice.groupings.__getitem__, "ward": tree.cut}
    return {(method, k): clusters[method](k) for method in METHODS for k in choice.reported}


def agreement_with_exact(points: Points) -> tuple[float, int]:
    """Compare `ward` with exact Ward (Müllner 2013) on a sample of at most 10,000 of the points (n, d).

    Returns
    -------
    The adjusted Rand index of the two at ten clusters, and the size of the sample.
    """
    from scipy.cluster.hierarchy import ward as exact_ward
    from sklearn.metrics import adjusted_rand_score

    sample = points[np.random.default_rng(0).permutation(len(points))[:EXACT_SAMPLE]]
    count = min(CLASSES, len(sample))
    exact = exact_ward(sample)
    own = ward(sample, nearest(sample, min(WARD_NEIGHBORS, len(sample) - 1)))
    full = Tree(exact[:, :2].astype(np.int64), exact[:, 2])
    return float(adjusted_rand_score(full.cut(count), own.cut(count))), len(sample)


def by_size(clusters: NDArray[np.integer]) -> Clusters:
    """Renumber clusters (n,) by size, the largest first."""
    _, numbered, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    order = np.argsort(-sizes, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rank[numbered].astype(np.int64)
