"""t-SNE in two or three dimensions, of tens of thousands of points in a minute or two.

The objective is that of van der Maaten & Hinton (2008) with v = d - 1 degrees of freedom (van der Maaten 2009, as in
scikit-learn); attraction comes from exact nearest neighbours, repulsion from a mesh (`experiments.analysis.mesh`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.affinities import Affinities
from experiments.analysis.mesh import repulsion

Array = NDArray[np.float32]

START_SPREAD = 1e-4  # so small that the first steps, not the start, decide (Kobak & Berens 2019)
LEAST_GAIN = 0.01


@dataclass(frozen=True)
class Schedule:
    """How the map is found.

    Attributes
    ----------
    exaggeration, exaggerated
        Factor on all affinities, and for how many steps, so that clusters form while they can still pass each other.
    steps
        Further steps, without.
    rate
        Length of a step, as a part of the number of points over the exaggeration (Belkina et al. 2019).
    """

    exaggeration: float = 12.0
    exaggerated: int = 150
    steps: int = 100
    rate: float = 0.25


SCHEDULE = Schedule()


def principal_start(points: Array, dimensions: int) -> Array:
    """Return the first principal components of points (n, d), scaled to a spread that t-SNE can start from."""
    from sklearn.decomposition import PCA

    if points.shape[1] < dimensions:  # then the rest is noise, from which the steps find their way
        rest = np.random.default_rng(0).normal(size=(len(points), dimensions - points.shape[1]))
        points = np.hstack([points, 1e-2 * points.std() * rest]).astype(np.float32)
    components = PCA(
        dimensions, svd_solver="covariance_eigh" if points.shape[1] <= 1000 else "randomized", random_state=0
    )
    start = components.fit_transform(points)
    return (start / max(float(start[:, 0].std()), 1e-12) * START_SPREAD).astype(np.float32)


def tsne(
    ties: Affinities,
    start: Array,
    schedule: Schedule = SCHEDULE,
    on_step: Callable[[int, int], None] | None = None,
) -> Array:
    """Return the map of points: positions float32 (n, d), centred on 0.

    Parameters
    ----------
    ties
        Affinities of the n points.
    start
        float32 (n, d), d = 2 or 3; see `principal_start`.
    on_step
        Called with the steps done and planned.
    """
    freedom, total = float(max(start.shape[1] - 1, 1)), schedule.exaggerated + schedule.steps
    positions, velocity, gains = start.copy(), np.zeros_like(start), np.ones_like(start)
    for step in range(total):
        early = step < schedule.exaggerated
        exaggeration, momentum = (schedule.exaggeration, 0.5) if early else (1.0, 0.8)
        slope = _slope(ties, positions, freedom, exaggeration)
        gains = np.where(slope * velocity < 0, gains + np.float32(0.2), gains * np.float32(0.8))
        np.maximum(gains, LEAST_GAIN, out=gains)
        rate = schedule.rate * len(positions) / exaggeration
        velocity = np.float32(momentum) * velocity - np.float32(rate) * gains * slope
        positions += velocity
        if on_step:
            on_step(step + 1, total)
    return positions - positions.mean(axis=0)


def _slope(ties: Affinities, positions: Array, freedom: float, exaggeration: float) -> Array:
    """Return the gradient of the Kullback-Leibler divergence, up to a constant factor."""
    field, slope = repulsion(positions, freedom)
    pairs = max(float(field.sum(dtype=np.float64)), 1e-30)
    away = slope * np.float32(freedom / (freedom + 1) / pairs)
    return np.float32(exaggeration) * ties.attraction(positions, freedom) + away
