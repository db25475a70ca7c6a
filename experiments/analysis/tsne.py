"""t-SNE in two or three dimensions, for tens of thousands of points in a minute or two.

The objective is that of van der Maaten & Hinton (2008) with v = d - 1 degrees of freedom (van der Maaten 2009, as in
scikit-learn). Attraction is computed over exact nearest neighbors, repulsion over a mesh
(`experiments.analysis.repulsion`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.affinities import Affinities
from experiments.analysis.repulsion import repulsion

Array = NDArray[np.float32]

START_SPREAD = 1e-4  # small, so that the first steps decide and not the start (Kobak & Berens 2019)
LEAST_GAIN = 0.01


@dataclass(frozen=True)
class TsneSchedule:
    """Optimization schedule of t-SNE.

    Attributes
    ----------
    exaggeration, exaggerated
        Factor on all affinities, and number of steps with it: clusters form while they can still pass each other.
    steps
        Number of steps without exaggeration.
    rate
        Learning rate, as a multiple of the number of points over the exaggeration (Belkina et al. 2019).
    """

    exaggeration: float = 12.0
    exaggerated: int = 150
    steps: int = 100
    rate: float = 0.25


SCHEDULE = TsneSchedule()


def principal_start(points: Array, dimensions: int) -> Array:
    """Compute the first principal components of points (n, d), scaled to the spread that t-SNE starts from."""
    from sklearn.decomposition import PCA

    if points.shape[1] < dimensions:  # fill the missing dimensions with noise
        noise = np.random.default_rng(0).normal(size=(len(points), dimensions - points.shape[1]))
        points = np.hstack([points, 1e-2 * points.std() * noise]).astype(np.float32)
    components = PCA(
        dimensions, svd_solver="covariance_eigh" if points.shape[1] <= 1000 else "randomized", random_state=0
    )
    start = components.fit_transform(points)
    return (start / max(float(start[:, 0].std()), 1e-12) * START_SPREAD).astype(np.float32)


def tsne(
    pairs: Affinities,
    start: Array,
    schedule: TsneSchedule = SCHEDULE,
    on_step: Callable[[int, int], None] | None = None,
) -> Array:
    """Compute a t-SNE embedding: positions float32 (n, d), centered on 0.

    Parameters
    ----------
    pairs
        Affinities of the n points.
    start
        Initial positions, float32 (n, d), d = 2 or 3; see `principal_start`.
    on_step
        Called with the number of steps done and planned.
    """
    freedom, total = float(max(start.shape[1] - 1, 1)), schedule.exaggerated + schedule.steps
    positions, velocity, gains = start.copy(), np.zeros_like(start), np.ones_like(start)
    for step in range(total):
        early = step < schedule.exaggerated
        exaggeration, momentum = (schedule.exaggeration, 0.5) if early else (1.0, 0.8)
        gradient = _gradient(pairs, positions, freedom, exaggeration)
        gains = np.where(gradient * velocity < 0, gains + np.float32(0.2), gains * np.float32(0.8))
        np.maximum(gains, LEAST_GAIN, out=gains)
        rate = schedule.rate * len(positions) / exaggeration
        velocity = np.float32(momentum) * velocity - np.float32(rate) * gains * gradient
        positions += velocity
        if on_step:
            on_step(step + 1, total)
    return positions - positions.mean(axis=0)


def _gradient(pairs: Affinities, positions: Array, freedom: float, exaggeration: float) -> Array:
    """Compute the gradient of the Kullback-Leibler divergence, up to a constant factor."""
    potential, slope = repulsion(positions, freedom)
    normalization = max(float(potential.sum(dtype=np.float64)), 1e-30)
    repelling = slope * np.float32(freedom / (freedom + 1) / normalization)
    return np.float32(exaggeration) * pairs.attraction(positions, freedom) + repelling
