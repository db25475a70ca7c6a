"""A map of the feature space that can be looked at, and how far it can be trusted."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.affinities import NEIGHBOURS_A_PERPLEXITY, affinities
from experiments.analysis.neighbours import Neighbours, nearest
from experiments.analysis.tsne import SCHEDULE, Schedule, principal_start, tsne

PERPLEXITY = 30.0
VOTERS = 10  # neighbours that say what a point is
TRUST_NEIGHBOURS = 12
TRUST_SAMPLE = 5000


@dataclass(frozen=True, eq=False)
class Embedding:
    """A t-SNE map.

    Attributes
    ----------
    positions
        float32 (n, 2 or 3), centred on 0.
    perplexity
        Lower than 30 where there are too few points for it.
    seconds
        Wall time, without that of finding the neighbours.
    """

    positions: NDArray[np.float32]
    perplexity: float
    schedule: Schedule
    seconds: float


@dataclass(frozen=True)
class Quality:
    """How faithful a map is.

    Attributes
    ----------
    knn_accuracy, knn_accuracy_before
        Share of points whose 10 nearest others in the map, and in feature space, name their class by majority.
    trustworthiness
        Of 12 neighbours (Venna & Kaski 2001) on a sample of at most 5,000 points: 1 where no neighbour in the map is
        far in feature space.
    neighbours_kept
        Share of the 12 nearest in the map that are among the 12 nearest in feature space.
    """

    knn_accuracy: float
    knn_accuracy_before: float
    trustworthiness: float
    neighbours_kept: float


def perplexity_for(n: int) -> float:
    """Return 30, or what n points allow: a third of the others."""
    return max(1.0, min(PERPLEXITY, (n - 1) / NEIGHBOURS_A_PERPLEXITY))


def neighbours_needed(n: int) -> int:
    """Return how many neighbours of each of n points `embed` uses."""
    return min(n - 1, max(VOTERS, round(NEIGHBOURS_A_PERPLEXITY * perplexity_for(n))))


def embed(
    points: NDArray[np.float32],
    neighbours: Neighbours,
    dimensions: int = 3,
    schedule: Schedule = SCHEDULE,
    on_step: Callable[[int, int], None] | None = None,
) -> Embedding:
    """Map points to two or three dimensions by t-SNE.

    Parameters
    ----------
    points
        float32 (n, d).
    neighbours
        `neighbours_needed` of each point.
    dimensions
        2 or 3.
    schedule
        Steps of t-SNE.
    on_step
        Called with the steps done and planned.
    """
    start, perplexity = perf_counter(), perplexity_for(len(points))
    ties = affinities(neighbours.first(neighbours_needed(len(points))), perplexity)
    positions = tsne(ties, principal_start(points, dimensions), schedule, on_step)
    return Embedding(positions, perplexity, schedule, perf_counter() - start)


def quality(
    points: NDArray[np.float32], neighbours: Neighbours, labels: NDArray[np.int64], positions: NDArray[np.float32]
) -> Quality:
    """Measure a map (n, 2 or 3) of points (n, d) with labels (n,)."""
    from sklearn.manifold import trustworthiness

    voters = min(VOTERS, neighbours.k)
    sample = np.random.default_rng(0).permutation(len(points))[:TRUST_SAMPLE]
    near = max(1, min(TRUST_NEIGHBOURS, (len(sample) - 1) // 2))
    in_map = nearest(positions, max(voters, min(TRUST_NEIGHBOURS, neighbours.k)))
    return Quality(
        knn_accuracy=knn_accuracy(in_map.first(voters), labels),
        knn_accuracy_before=knn_accuracy(neighbours.first(voters), labels),
        trustworthiness=float(trustworthiness(points[sample], positions[sample], n_neighbors=near)),
        neighbours_kept=_shared(in_map, neighbours.first(in_map.k)),
    )


def _shared(some: Neighbours, others: Neighbours) -> float:
    """Return the share of neighbours that two lists of the same k have in common."""
    both = np.sort(np.concatenate([some.indices, others.indices], axis=1), axis=1)
    return float((both[:, 1:] == both[:, :-1]).mean() * (both.shape[1] - 1) / some.k)


def knn_accuracy(neighbours: Neighbours, labels: NDArray[np.int64]) -> float:
    """Return the share in [0, 1] of points whose neighbours name their class by majority.

    Where two classes tie the smaller one counts. `labels` is int64 (n,), for the n points of `neighbours`.
    """
    votes = labels[neighbours.indices]
    classes = np.arange(labels.max() + 1)
    counts = np.stack([(votes == digit).sum(axis=1) for digit in classes], axis=1)
    return float((counts.argmax(axis=1) == labels).mean())
