"""The nearest neighbours of every point, found once and used by all stages."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CANCELLED = 1e-4  # of a point's length, below which a distance by |x|^2 - 2 x y + |y|^2 is mostly rounding
BLOCK = 10_000


@dataclass(frozen=True, eq=False)
class Neighbours:
    """For each of n points its k nearest of m others, the nearest first.

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
        """Neighbours of each point."""
        return self.indices.shape[1]

    def first(self, k: int) -> "Neighbours":
        """Return the k nearest of them."""
        return Neighbours(self.indices[:, :k], self.distances[:, :k])


def nearest(points: NDArray[np.float32], k: int) -> Neighbours:
    """Return the exact k nearest neighbours of each point among the others, itself left out.

    Parameters
    ----------
    points
        float32 (n, d).
    k
        1 <= k < n.

    Raises
    ------
    ValueError
        For a k out of its range.

    Notes
    -----
    By brute force in blocks, which in more than some twenty dimensions no tree can beat.
    """
    if not 1 <= k < len(points):
        raise ValueError(f"k must be at least 1 and below the number of points {len(points)}. Received: {k}")
    distances, indices = _search(points, points, k + 1)
    # A point with duplicates may come after them, or not at all.
    own = indices == np.arange(len(points))[:, None]
    own[~own.any(axis=1), -1] = True
    shape = (len(points), k)
    return Neighbours(indices[~own].reshape(shape).astype(np.int32), distances[~own].reshape(shape).astype(np.float32))


def nearest_to(points: NDArray[np.float32], others: NDArray[np.float32], k: int) -> Neighbours:
    """Return the exact k nearest neighbours of each of `points` (n, d) among `others` (m, d), nearest first.

    Raises
    ------
    ValueError
        When k is not in [1, m].
    """
    if not 1 <= k <= len(others):
        raise ValueError(f"k must be at least 1 and at most the number of points {len(others)}. Received: {k}")
    distances, indices = _search(others, points, k)
    return Neighbours(indices.astype(np.int32), distances.astype(np.float32))


def _search(
    points: NDArray[np.float32], queries: NDArray[np.float32], k: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    from sklearn.neighbors import NearestNeighbors

    few = points.shape[1] <= 3  # where a tree takes seconds
    search = NearestNeighbors(n_neighbors=k, algorithm="kd_tree" if few else "brute", n_jobs=-1).fit(points)
    distances, indices = search.kneighbors(queries)
    if not few:
        for start in range(0, len(queries), BLOCK):
            block = slice(start, start + BLOCK)
            _measure_again(points, queries[block], distances[block], indices[block])
    return distances, indices


def _measure_again(
    points: NDArray[np.float32],
    queries: NDArray[np.float32],
    distances: NDArray[np.float32],
    indices: NDArray[np.int64],
) -> None:
    """Put right, in place, the distances of all but equal points: those of duplicates become 0."""
    doubtful = distances <= CANCELLED * np.linalg.norm(queries, axis=1)[:, None]
    rows, columns = np.nonzero(doubtful)
    distances[rows, columns] = np.linalg.norm(queries[rows] - points[indices[rows, columns]], axis=1)
    for row in np.unique(rows):
        order = np.argsort(distances[row], kind="stable")
        distances[row], indices[row] = distances[row, order], indices[row, order]
