"""Class means in feature space."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Centroids:
    """Distances between class means.

    Attributes
    ----------
    digits
        Classes that occur, int64 (c,).
    distances
        Euclidean distances between the class means, float64 (c, c).
    spreads
        Root mean square distance of the members of each class from their mean, float64 (c,).
    """

    digits: NDArray[np.int64]
    distances: NDArray[np.float64]
    spreads: NDArray[np.float64]

    @property
    def closest(self) -> tuple[tuple[int, int, float], ...]:
        """All pairs of digits with their distance, closest first."""
        rows, columns = np.triu_indices(len(self.digits), 1)
        order = np.argsort(self.distances[rows, columns], kind="stable")
        return tuple(
            (int(self.digits[rows[i]]), int(self.digits[columns[i]]), float(self.distances[rows[i], columns[i]]))
            for i in order
        )


def centroids(points: NDArray[np.float32], labels: NDArray[np.int64]) -> Centroids:
    """Compute the class means of points (n, d) with labels (n,), and the distances between them."""
    digits = np.unique(labels)
    means = np.stack([points[labels == digit].mean(axis=0, dtype=np.float64) for digit in digits])
    spreads = [
        np.sqrt(((points[labels == digit] - mean) ** 2).sum(axis=1).mean())
        for digit, mean in zip(digits, means, strict=True)
    ]
    distances = np.sqrt(((means[:, None] - means[None]) ** 2).sum(axis=-1))
    return Centroids(digits.astype(np.int64), distances, np.asarray(spreads, np.float64))
