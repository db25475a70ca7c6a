"""Digits that stand apart, that occur twice, and classes that lie near each other."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.neighbours import Neighbours, nearest_to

OUTLIER_NEIGHBOUR = 10
NEAR_DUPLICATE = 0.25  # of the median distance of a test digit to its nearest training digit


@dataclass(frozen=True, eq=False)
class Duplicates:
    """Test digits and the training digit most like each, pixel by pixel.

    Attributes
    ----------
    test, train
        int64 (m,): pairs, the most alike first, with the threshold passed.
    distances
        float32 (m,): root of the mean squared difference of the pixels, in [0, 1].
    threshold, median
        A pair is reported up to the threshold, a quarter of the median distance over all test digits.
    labels_differ
        bool (m,): the two carry different labels.
    """

    test: NDArray[np.int64]
    train: NDArray[np.int64]
    distances: NDArray[np.float32]
    threshold: float
    median: float
    labels_differ: NDArray[np.bool_]


def near_duplicates(
    train: NDArray[np.uint8], train_labels: NDArray[np.int64], test: NDArray[np.uint8], test_labels: NDArray[np.int64]
) -> Duplicates:
    """Find test images (m, 28, 28) that are nearly in the training images (n, 28, 28) too."""
    pixels = [images.reshape(len(images), -1).astype(np.float32) / np.float32(255) for images in (train, test)]
    found = nearest_to(pixels[1], pixels[0], 1)
    distances = found.distances[:, 0] / np.sqrt(pixels[0].shape[1])
    median = float(np.median(distances))
    alike = np.argsort(distances, kind="stable")
    alike = alike[distances[alike] <= NEAR_DUPLICATE * median]
    twins = found.indices[alike, 0].astype(np.int64)
    return Duplicates(
        alike, twins, distances[alike], NEAR_DUPLICATE * median, median, test_labels[alike] != train_labels[twins]
    )


def outlier_scores(neighbours: Neighbours) -> NDArray[np.float64]:
    """Return how far out each point lies, (n,): robust z-score of the log distance to its 10th nearest neighbour.

    The distance is Ramaswamy et al.'s (2000); beyond about 4 a point lies where hardly another does.
    """
    far = np.log(neighbours.distances[:, min(OUTLIER_NEIGHBOUR, neighbours.k) - 1].astype(np.float64) + 1e-12)
    spread = float(np.median(np.abs(far - np.median(far)))) * 1.4826  # as wide as a normal deviation
    return (far - np.median(far)) / (spread or 1.0)


@dataclass(frozen=True, eq=False)
class Centroids:
    """Where the classes lie.

    Attributes
    ----------
    digits
        int64 (c,): classes that occur.
    distances
        float64 (c, c), Euclidean, between class means.
    spreads
        float64 (c,): root of the mean squared distance of a class's members from its mean.
    """

    digits: NDArray[np.int64]
    distances: NDArray[np.float64]
    spreads: NDArray[np.float64]

    @property
    def closest(self) -> tuple[tuple[int, int, float], ...]:
        """All pairs of digits with their distance, the closest first."""
        rows, columns = np.triu_indices(len(self.digits), 1)
        order = np.argsort(self.distances[rows, columns], kind="stable")
        return tuple(
            (int(self.digits[rows[i]]), int(self.digits[columns[i]]), float(self.distances[rows[i], columns[i]]))
            for i in order
        )


def centroids(points: NDArray[np.float32], labels: NDArray[np.int64]) -> Centroids:
    """Return the means of the classes of points (n, d) with labels (n,), and how far they are apart."""
    digits = np.unique(labels)
    means = np.stack([points[labels == digit].mean(axis=0, dtype=np.float64) for digit in digits])
    spreads = [
        np.sqrt(((points[labels == digit] - mean) ** 2).sum(axis=1).mean())
        for digit, mean in zip(digits, means, strict=True)
    ]
    distances = np.sqrt(((means[:, None] - means[None]) ** 2).sum(axis=-1))
    return Centroids(digits.astype(np.int64), distances, np.asarray(spreads, np.float64))
