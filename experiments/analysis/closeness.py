"""How near each digit lies to its own class, and how near to another."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.neighbours import nearest_to

NEAREST = 3
TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Closeness:
    """The nearest neighbours of n digits in their own class and in the others, among m digits.

    Attributes
    ----------
    own, other
        int64 (n, 3): who they are, the nearest first; -1 where there are fewer.
    own_distances, other_distances
        float32 (n, 3), Euclidean; infinite where there are fewer.
    """

    own: NDArray[np.int64]
    other: NDArray[np.int64]
    own_distances: NDArray[np.float32]
    other_distances: NDArray[np.float32]

    @property
    def ratio(self) -> NDArray[np.float32]:
        """Distance to the nearest of the own class over that to the nearest of another, (n,): above 1 is confusing.

        This is the definition of a confusing digit here. A ratio needs no unit, so that networks, and regions of
        a feature space that are more or less dense, can be compared; and it asks for nothing but distances, so that it
        can disagree with the classifier, whose probabilities the other measures use.
        """
        own, other = self.own_distances[:, 0], self.other_distances[:, 0]
        with np.errstate(invalid="ignore"):
            ratio = (own + TINY) / (other + TINY)
        return np.where(np.isfinite(ratio), ratio, np.where(np.isfinite(own), 0, np.inf)).astype(np.float32)


def closeness(
    points: NDArray[np.float32],
    labels: NDArray[np.int64],
    others: NDArray[np.float32],
    other_labels: NDArray[np.int64],
) -> Closeness:
    """Find the nearest neighbours of points (n, d) among `others` (m, d), by class.

    The points must not be among the others: what a digit is compared with must be other digits.
    """
    n = len(points)
    found = Closeness(
        own=np.full((n, NEAREST), -1, np.int64),
        other=np.full((n, NEAREST), -1, np.int64),
        own_distances=np.full((n, NEAREST), np.inf, np.float32),
        other_distances=np.full((n, NEAREST), np.inf, np.float32),
    )
    for digit in np.unique(labels):
        members = np.flatnonzero(labels == digit)
        same = other_labels == digit
        for chosen, who, distances in (
            (np.flatnonzero(same), found.own, found.own_distances),
            (np.flatnonzero(~same), found.other, found.other_distances),
        ):
            count = min(NEAREST, len(chosen))
            if count:
                neighbours = nearest_to(points[members], others[chosen], count)
                who[members, :count] = chosen[neighbours.indices]
                distances[members, :count] = neighbours.distances
    return found
