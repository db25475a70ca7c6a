"""Affinities of t-SNE: the joint probabilities of neighboring points."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.neighbors import Neighbors

Array = NDArray[np.float32]

BISECTIONS = 50
PAIRS_PER_BLOCK = 200_000  # fit into a processor's cache
NEIGHBORS_PER_PERPLEXITY = 3  # a Gaussian of that perplexity is almost 0 for farther neighbors


@dataclass(frozen=True, eq=False)
class Affinities:
    """Symmetric joint probabilities of n points, as a sparse matrix in CSR format.

    Attributes
    ----------
    values
        float32 (pairs,), summing to 1.
    columns
        Second point of each pair, int32 (pairs,).
    starts
        int64 (n + 1,): pairs ``starts[i]`` up to ``starts[i + 1]`` are those of point i, at least one.
    """

    values: Array
    columns: NDArray[np.int32]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def attraction(self, positions: Array, freedom: float) -> Array:
        """Compute the attraction of each point: the sum over its pairs of p (y_i - y_j) / (1 + |y_i - y_j|^2 / v)."""
        coordinates = np.ascontiguousarray(positions.T)
        whole = np.empty_like(coordinates)

        def fill(block: tuple[int, int]) -> None:
            whole[:, slice(*block)] = self._attraction(coordinates, freedom, *block)

        with ThreadPoolExecutor() as threads:
            list(threads.map(fill, self._blocks()))
        return np.ascontiguousarray(whole.T)

    def _blocks(self) -> list[tuple[int, int]]:
        count = max(1, round(len(self.values) / PAIRS_PER_BLOCK))
        return list(itertools.pairwise(np.linspace(0, len(self), count + 1).astype(int).tolist()))

    def _attraction(self, coordinates: Array, freedom: float, first: int, last: int) -> Array:
        pairs = slice(self.starts[first], self.starts[last])
        columns, counts = self.columns[pairs], np.diff(self.starts[first : last + 1])
        apart = [np.repeat(axis[first:last], counts) - axis[columns] for axis in coordinates]
        squared = apart[0] * apart[0]
        for axis in apart[1:]:
            squared += axis * axis
        pull = self.values[pairs] / (1 + squared / np.float32(freedom))
        starts = self.starts[first:last] - self.starts[first]
        return np.stack([np.add.reduceat(pull * axis, starts) for axis in apart])


def affinities(neighbors: Neighbors, perplexity: float) -> Affinities:
    """Compute the joint probabilities of t-SNE (van der Maaten & Hinton 2008) over nearest neighbors (as in 2014).

    Parameters
    ----------
    neighbors
        Neighbors of each point; 3 times the perplexity are enough.
    perplexity
        Perplexity of the Gaussian of each point, 1 <= perplexity <= number of neighbors.

    Raises
    ------
    ValueError
        If the perplexity is out of range.
    """
    from scipy.sparse import csr_array

    n, k = neighbors.indices.shape
    if not 1 <= perplexity <= k:
        raise ValueError(f"perplexity must be from 1 to {k}, the number of neighbors. Received: {perplexity}")
    rows = conditional(neighbors.distances, perplexity)
    starts = np.arange(0, n * k + 1, k)
    one_sided = csr_array((rows.ravel(), neighbors.indices.ravel(), starts), shape=(n, n))
    both = (one_sided + one_sided.T).tocsr()
    both.sort_indices()
    values = (both.data / both.data.sum(dtype=np.float64)).astype(np.float32)
    return Affinities(values, both.indices.astype(np.int32), both.indptr.astype(np.int64))


def conditional(distances: Array, perplexity: float) -> Array:
    """Compute Gaussian weights of each row of distances (n, k), with sum 1 and the given perplexity."""
    squared = distances.astype(np.float32) ** 2
    squared -= squared[:, :1]
    scale = squared.mean(axis=1)
    beta = (1 / np.where(scale > 0, scale, 1))[:, None].astype(np.float32)
    low, high = np.zeros_like(beta), np.full_like(beta, np.inf)
    for _ in range(BISECTIONS):
        weights = np.exp(-squared * beta)
        total = weights.sum(axis=1, keepdims=True)
        entropy = np.log(total) + beta * (squared * weights).sum(axis=1, keepdims=True) / total
        wide = entropy > np.log(perplexity)
        low, high = np.where(wide, beta, low), np.where(wide, high, beta)
        beta = np.where(np.isinf(high), np.minimum(beta * 2, 1e30), (low + high) / 2).astype(np.float32)
    weights = np.exp(-squared * beta)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
