"""How strongly t-SNE ties each point to its neighbours."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.neighbours import Neighbours

Array = NDArray[np.float32]

BISECTIONS = 50
TIES_A_BLOCK = 200_000  # as many as a processor's cache holds
NEIGHBOURS_A_PERPLEXITY = 3  # beyond, a Gaussian of that perplexity is all but nothing


@dataclass(frozen=True, eq=False)
class Affinities:
    """Symmetric joint probabilities of n points, row by row.

    Attributes
    ----------
    values
        float32 (ties,), summing to 1.
    columns
        int32 (ties,), to whom.
    starts
        int64 (n + 1,): ties ``starts[i]`` up to ``starts[i + 1]`` are those of point i, one at least.
    """

    values: Array
    columns: NDArray[np.int32]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def attraction(self, positions: Array, freedom: float) -> Array:
        """Return, float32 (n, d), for each point the sum over its ties of p (y_i - y_j) / (1 + |y_i - y_j|^2 / v)."""
        coordinates = np.ascontiguousarray(positions.T)
        whole = np.empty_like(coordinates)

        def fill(block: tuple[int, int]) -> None:
            whole[:, slice(*block)] = self._attraction(coordinates, freedom, *block)

        with ThreadPoolExecutor() as threads:
            list(threads.map(fill, self._blocks()))
        return np.ascontiguousarray(whole.T)

    def _blocks(self) -> list[tuple[int, int]]:
        count = max(1, round(len(self.values) / TIES_A_BLOCK))
        return list(itertools.pairwise(np.linspace(0, len(self), count + 1).astype(int).tolist()))

    def _attraction(self, coordinates: Array, freedom: float, first: int, last: int) -> Array:
        ties = slice(self.starts[first], self.starts[last])
        columns, counts = self.columns[ties], np.diff(self.starts[first : last + 1])
        apart = [np.repeat(axis[first:last], counts) - axis[columns] for axis in coordinates]
        squared = apart[0] * apart[0]
        for axis in apart[1:]:
            squared += axis * axis
        pull = self.values[ties] / (1 + squared / np.float32(freedom))
        starts = self.starts[first:last] - self.starts[first]
        return np.stack([np.add.reduceat(pull * axis, starts) for axis in apart])


def affinities(neighbours: Neighbours, perplexity: float) -> Affinities:
    """Return t-SNE's joint probabilities (van der Maaten & Hinton 2008, over nearest neighbours as in 2014).

    Parameters
    ----------
    neighbours
        Of each point; 3 times the perplexity are enough.
    perplexity
        Of each point's Gaussian over its neighbours, 1 <= perplexity <= number of neighbours.

    Raises
    ------
    ValueError
        For a perplexity out of its range.
    """
    from scipy.sparse import csr_array

    n, k = neighbours.indices.shape
    if not 1 <= perplexity <= k:
        raise ValueError(f"perplexity must be from 1 to {k}, the number of neighbours. Received: {perplexity}")
    rows = conditional(neighbours.distances, perplexity)
    starts = np.arange(0, n * k + 1, k)
    one_sided = csr_array((rows.ravel(), neighbours.indices.ravel(), starts), shape=(n, n))
    both = (one_sided + one_sided.T).tocsr()
    both.sort_indices()
    values = (both.data / both.data.sum(dtype=np.float64)).astype(np.float32)
    return Affinities(values, both.indices.astype(np.int32), both.indptr.astype(np.int64))


def conditional(distances: Array, perplexity: float) -> Array:
    """Return each row's Gaussian weights, summing to 1, at the width that gives the perplexity; distances (n, k)."""
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
