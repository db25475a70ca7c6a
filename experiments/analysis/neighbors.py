"""Exact nearest neighbors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CANCELLATION = 1e-4  # of the norm of a point: smaller distances by |x|^2 - 2 x y + |y|^2 are mostly rounding errors
BLOCK = 10_000


@dataclass(frozen=True, eq=False)
class Neighbors:
    """The k nearest neighbors of n points among m others, nearest first.

    Attributes
    ----------
    indices
        int32 (n, k).
    distances
        float32 (n, k), Euclidean.
    """

    indices: NDArray[np.int32]
    distances: NDArray[np.float32]

    @property
    def k(self) -> int:
        """Number of neighbors of each point."""
        return self.indices.shape[1]

    def first(self, k: int) -> "Neighbors":
        """Return the first k neighbors of each point."""
        return Neighbors(self.indices[:, :k], self.distances[:, :k])


def nearest(points: NDArray[np.float32], k: int) -> Neighbors:
    """Find the exact k nearest neighbors of each point among the others.

    Parameters
    ----------
    points
        float32 (n, d).
    k
        1 <= k < n.

    Raises
    ------
    ValueError
        If k is out of range.

    Notes
    -----
    The search is brute force: above about twenty dimensions no tree is faster.
    """
    if not 1 <= k < len(points):
        raise ValueError(f"k must be at least 1 and below the number of points {len(points)}. Received: {k}")
    distances, indices = _search(points, points, k + 1)
    # A point that has duplicates may come after them, or not at all.
    own = indices == np.arange(len(points))[:, None]
    own[~own.any(axis=1), -1] = True
    shape = (len(points), k)
    return Neighbors(indices[~own].reshape(shape).astype(np.int32), distances[~own].reshape(shape).astype(np.float32))


def nearest_to(points: NDArray[np.float32], others: NDArray[np.float32], k: int) -> Neighbors:
    """Find the exact k nearest neighbors of each of `points` (n, d) among `others` (m, d), nearest first.

    Raises
    ------
    ValueError
        If k is not in [1, m].
    """
    if not 1 <= k <= len(others):
        raise ValueError(f"k must be at least 1 and at most the number of points {len(others)}. Received: {k}")
    distances, indices = _search(others, points, k)
    return Neighbors(indices.astype(np.int32), distances.astype(np.float32))


def _search(
    points: NDArray[np.float32], queries: NDArray[np.float32], k: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    from sklearn.neighbors import NearestNeighbors

    few = points.shape[1] <= 3  # dimensions: a tree is fast
    search = NearestNeighbors(n_neighbors=k, algorithm="kd_tree" if few else "brute", n_jobs=-1).fit(points)
    distances, indices = search.kneighbors(queries)
    if not few:
        for start in range(0, len(queries), BLOCK):
            block = slice(start, start + BLOCK)
            _correct_small_distances(points, queries[block], distances[block], indices[block])
    return distances, indices


def _correct_small_distances(
    points: NDArray[np.float32],
    queries: NDArray[np.float32],
    distances: NDArray[np.float32],
    indices: NDArray[np.int64],
) -> None:
    """Recompute in place the distances of nearly equal points, so that those of duplicates become 0."""
    inexact = distances <= CANCELLATION * np.linalg.norm(queries, axis=1)[:, None]
    rows, columns = np.nonzero(inexact)
    distances[rows, columns] = np.linalg.norm(queries[rows] - points[indices[rows, columns]], axis=1)
    for row in np.unique(rows):
        order = np.argsort(distances[row], kind="stable")
        distances[row], indices[row] = distances[row, order], indices[row, order]
