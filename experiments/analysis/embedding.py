"""A t-SNE embedding of the feature space in two or three dimensions, and its quality."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.affinities import NEIGHBORS_PER_PERPLEXITY, affinities
from experiments.analysis.neighbors import Neighbors, nearest
from experiments.analysis.tsne import SCHEDULE, TsneSchedule, principal_start, tsne

PERPLEXITY = 30.0
VOTERS = 10  # neighbors that vote on the class of a point
TRUST_NEIGHBORS = 12
TRUST_SAMPLE = 5000


@dataclass(frozen=True, eq=False)
class Embedding:
    """A t-SNE embedding.

    Attributes
    ----------
    positions
        float32 (n, 2 or 3), centered on 0.
    perplexity
        30, or less for few points.
    """

    positions: NDArray[np.float32]
    perplexity: float


@dataclass(frozen=True)
class Quality:
    """Quality of an embedding. The names of the metrics are those in results and JSON.

    Attributes
    ----------
    knn_accuracy, knn_accuracy_before
        Leave-one-out accuracy of a 10-nearest-neighbor classifier in the embedding, and in feature space.
    trustworthiness
        Trustworthiness for 12 neighbors (Venna & Kaski 2001), on a sample of at most 5,000 points: 1 if no neighbor in
        the embedding is far in feature space.
    neighbours_kept
        Proportion of the 12 nearest neighbors in the embedding that are among the 12 nearest in feature space.
    """

    knn_accuracy: float
    knn_accuracy_before: float
    trustworthiness: float
    neighbours_kept: float


def perplexity_for(n: int) -> float:
    """Return the perplexity for n points: 30, or a third of the other points if they are fewer than 90."""
    return max(1.0, min(PERPLEXITY, (n - 1) / NEIGHBORS_PER_PERPLEXITY))


def neighbors_needed(n: int) -> int:
    """Return the number of neighbors of each of n points that `embed` needs."""
    return min(n - 1, max(VOTERS, round(NEIGHBORS_PER_PERPLEXITY * perplexity_for(n))))


def embed(
    points: NDArray[np.float32],
    neighbors: Neighbors,
    dimensions: int = 3,
    schedule: TsneSchedule = SCHEDULE,
    on_step: Callable[[int, int], None] | None = None,
) -> Embedding:
    """Embed points in two or three dimensions by t-SNE.

    Parameters
    ----------
    points
        float32 (n, d).
    neighbors
        Nearest neighbors of each point, at least `neighbors_needed`.
    dimensions
        2 or 3.
    schedule
        Optimization schedule of t-SNE.
    on_step
        Called with the number of steps done and planned.
    """
    perplexity = perplexity_for(len(points))
    pairs = affinities(neighbors.first(neighbors_needed(len(points))), perplexity)
    return Embedding(tsne(pairs, principal_start(points, dimensions), schedule, on_step), perplexity)


def embedding_quality(
    points: NDArray[np.float32], neighbors: Neighbors, labels: NDArray[np.int64], positions: NDArray[np.float32]
) -> Quality:
    """Compute the quality of an embedding (n, 2 or 3) of points (n, d) with labels (n,)."""
    from sklearn.manifold import trustworthiness

    voters = min(VOTERS, neighbors.k)
    sample = np.random.default_rng(0).permutation(len(points))[:TRUST_SAMPLE]
    near = max(1, min(TRUST_NEIGHBORS, (len(sample) - 1) // 2))
    embedded = nearest(positions, max(voters, min(TRUST_NEIGHBORS, neighbors.k)))
    return Quality(
        knn_accuracy=knn_accuracy(embedded.first(voters), labels),
        knn_accuracy_before=knn_accuracy(neighbors.first(voters), labels),
        trustworthiness=float(trustworthiness(points[sample], positions[sample], n_neighbors=near)),
        neighbours_kept=_overlap(embedded, neighbors.first(embedded.k)),
    )


def _overlap(some: Neighbors, others: Neighbors) -> float:
    """Compute the proportion of neighbors that two lists with equal k have in common."""
    both = np.sort(np.concatenate([some.indices, others.indices], axis=1), axis=1)
    return float((both[:, 1:] == both[:, :-1]).mean() * (both.shape[1] - 1) / some.k)


def knn_accuracy(neighbors: Neighbors, labels: NDArray[np.int64]) -> float:
    """Compute the accuracy of the majority vote of each point's neighbors; of tied classes the smallest wins.

    `labels` is int64 (n,), for the n points of `neighbors`.
    """
    votes = labels[neighbors.indices]
    classes = np.arange(labels.max() + 1)
    counts = np.stack([(votes == digit).sum(axis=1) for digit in classes], axis=1)
    return float((counts.argmax(axis=1) == labels).mean())
