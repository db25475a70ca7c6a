"""Distances of each digit to the nearest digits of its own class and of the other classes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.neighbors import nearest_to

NEAREST = 3
TINY = 1e-12


@dataclass(frozen=True, eq=False)
class ClassDistances:
    """The nearest neighbors of n digits in their own class and in the others, among m digits.

    Attributes
    ----------
    own, other
        Indices of the neighbors, int64 (n, 3), nearest first; -1 where there are fewer.
    own_distances, other_distances
        Euclidean distances, float32 (n, 3); infinite where there are fewer.
    """

    own: NDArray[np.int64]
    other: NDArray[np.int64]
    own_distances: NDArray[np.float32]
    other_distances: NDArray[np.float32]

    @property
    def ratio(self) -> NDArray[np.float32]:
        """Distance to the nearest digit of the own class over that of another class, (n,); confusing above 1.

        This is the definition of a confusing digit. A ratio has no unit, so networks, and dense and sparse regions of a
        feature space, can be compared. It uses distances alone, so it can disagree with the classifier, whose
        probabilities the other measures use.
        """
        own, other = self.own_distances[:, 0], self.other_distances[:, 0]
        with np.errstate(invalid="ignore"):
            ratio = (own + TINY) / (other + TINY)
        return np.where(np.isfinite(ratio), ratio, np.where(np.isfinite(own), 0, np.inf)).astype(np.float32)


def class_distances(
    points: NDArray[np.float32],
    labels: NDArray[np.int64],
    others: NDArray[np.float32],
    other_labels: NDArray[np.int64],
) -> ClassDistances:
    """Find the nearest neighbors of points (n, d) among `others` (m, d), by class.

    The points must not be among the others: a digit is compared with other digits only.
    """
    n = len(points)
    found = ClassDistances(
        own=np.full((n, NEAREST), -1, np.int64),
        other=np.full((n, NEAREST), -1, np.int64),
        own_distances=np.full((n, NEAREST), np.inf, np.float32),
        other_distances=np.full((n, NEAREST), np.inf, np.float32),
    )
    for digit in np.unique(labels):
        members = np.flatnonzero(labels == digit)
        same = other_labels == digit
        for candidates, indices, distances in (
            (np.flatnonzero(same), found.own, found.own_distances),
            (np.flatnonzero(~same), found.other, found.other_distances),
        ):
            count = min(NEAREST, len(candidates))
            if count:
                neighbors = nearest_to(points[members], others[candidates], count)
                indices[members, :count] = candidates[neighbors.indices]
                distances[members, :count] = neighbors.distances
    return found
