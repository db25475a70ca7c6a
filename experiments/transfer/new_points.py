"""Embedding of new points into an existing t-SNE map.

A new point has a Gaussian over its nearest neighbors among the points of the map, and moves to the position where the
map's own kernel, over all its points, is most similar to it: t-SNE's objective for one point (van der Maaten & Hinton
2008) with everything else fixed, as `transform` of openTSNE (Poličar et al. 2024). New points do not interact, so that
each lies where it would lie alone, and the map does not change.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.affinities import NEIGHBORS_PER_PERPLEXITY, conditional
from experiments.analysis.neighbors import nearest_to
from experiments.analysis.repulsion import Potential, potential

Array = NDArray[np.float32]

PERPLEXITY = 5.0  # low, as in openTSNE: a point lies with its most similar ones
STEPS = 300
STEP = np.float32(0.5)  # the first; the kernel varies over a length of 1
LONGER, SHORTER = np.float32(1.5), np.float32(0.3)
STILL = 1e-3  # step below which a point has converged
MARGIN = 0.05  # of the map's width, around it


def embed_new_points(
    map_positions: Array, source_features: Array, target_features: Array, perplexity: float = PERPLEXITY
) -> Array:
    """Embed new points into a map; return their positions, float32 (m, 2 or 3).

    Parameters
    ----------
    map_positions
        float32 (n, 2 or 3), a t-SNE map of the source; see `experiments.analysis.embed`.
    source_features, target_features
        float32 (n, d) and (m, d), in the space that the map was made from. If the source was reduced to principal
        components, the target is projected on the same ones.
    perplexity
        Perplexity of each new point's Gaussian over its neighbors, 1 <= perplexity <= n.

    Raises
    ------
    ValueError
        If the shapes of the arrays do not match, or the perplexity is out of range.

    Notes
    -----
    Gradient descent with a step size per point: it grows after a step that decreased the objective and shrinks after
    one that did not, which is rejected. No point leaves the map by more than `MARGIN` of its width.
    """
    _check(map_positions, source_features, target_features, perplexity)
    if not len(target_features):
        return np.empty((0, map_positions.shape[1]), np.float32)
    k = min(len(source_features), int(np.ceil(NEIGHBORS_PER_PERPLEXITY * perplexity)))
    near = nearest_to(target_features, source_features, k)
    low, high = map_positions.min(axis=0), map_positions.max(axis=0)
    margin = np.float32(1 + MARGIN * float((high - low).max()))
    box = np.stack([low - margin, high + margin])
    freedom = float(max(map_positions.shape[1] - 1, 1))  # as in `experiments.analysis.tsne`
    objective = _Objective(
        anchors=map_positions[near.indices],
        weights=conditional(near.distances, perplexity),
        field=potential(map_positions, freedom, around=box),
        freedom=np.float32(freedom),
    )
    return _descend(objective, objective.start(), box)


def _check(positions: Array, source: Array, target: Array, perplexity: float) -> None:
    if positions.ndim != 2 or positions.shape[1] not in {2, 3}:
        raise ValueError(f"the map must have shape (n, 2) or (n, 3), received {positions.shape}")
    if source.ndim != 2 or target.ndim != 2 or source.shape[1] != target.shape[1] or len(source) != len(positions):
        raise ValueError(
            f"features of a map of {len(positions)} points must have shapes ({len(positions)}, d) and (m, d), received "
            f"{source.shape} and {target.shape}"
        )
    if not 1 <= perplexity <= len(source):
        raise ValueError(f"perplexity must be from 1 to {len(source)}, the points of the map. Received: {perplexity}")


@dataclass(frozen=True, eq=False)
class _Objective:
    """The objective of m new points.

    Attributes
    ----------
    anchors
        float32 (m, k, d): positions of the neighbors of each on the map.
    weights
        float32 (m, k): weights of the neighbors, summing to 1.
    field
        The potential of the whole map.
    freedom
        Degrees of freedom of the kernel.
    """

    anchors: Array
    weights: Array
    field: Potential
    freedom: np.float32

    def at(self, positions: Array) -> tuple[Array, Array]:
        """Compute the divergence (m,) of the kernel at positions (m, d) from the weights, and its gradient (m, d).

        The entropy of the weights, which does not depend on the positions, is left out.
        """
        apart = positions[:, None] - self.anchors
        base = 1 + (apart**2).sum(axis=-1) / self.freedom
        whole, slope = self._repulsion(positions)
        pull = ((self.weights / base)[..., None] * apart).sum(axis=1)
        value = (self.freedom + 1) / 2 * (self.weights * np.log(base)).sum(axis=1) + whole
        return value, (self.freedom + 1) / self.freedom * pull + slope

    def start(self) -> Array:
        """Return for each point the position of the neighbor with the lowest divergence, (m, d).

        If neighbors lie in two clusters, their mean or median would lie in neither.
        """
        m, k, dimensions = self.anchors.shape
        whole = self._repulsion(self.anchors.reshape(-1, dimensions))[0].reshape(m, k)
        pull = np.empty_like(whole)
        for place in range(k):
            squared = ((self.anchors - self.anchors[:, place, None]) ** 2).sum(axis=-1)
            pull[:, place] = (self.weights * np.log1p(squared / self.freedom)).sum(axis=1)
        best = ((self.freedom + 1) / 2 * pull + whole).argmin(axis=1)
        return np.array(self.anchors[np.arange(m), best])

    def _repulsion(self, positions: Array) -> tuple[Array, Array]:
        """Compute the logarithm of the field, and its gradient."""
        field, slope = self.field.at(positions)
        field = np.maximum(field, np.float32(1e-6))  # far from most points the interpolated field is about 0
        return np.log(field), slope / field[:, None]


def _descend(objective: _Objective, positions: Array, box: Array) -> Array:
    value, slope = objective.at(positions)
    steps = np.full((len(positions), 1), STEP)
    for _ in range(STEPS):
        tried = np.clip(positions - steps * slope, *box)
        value_there, slope_there = objective.at(tried)
        better = (value_there < value)[:, None]
        positions, slope = np.where(better, tried, positions), np.where(better, slope_there, slope)
        value = np.where(better[:, 0], value_there, value)
        steps = np.where(better, steps * LONGER, steps * SHORTER)
        if not (steps * np.abs(slope) > STILL).any():
            break
    return positions
