"""How groups that were found without labels agree with the classes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import CLASSES

SHARE = 0.1  # of a class, or of a cluster, from which a part of it is worth a word


@dataclass(frozen=True, eq=False)
class Agreement:
    """Clusters against classes.

    Attributes
    ----------
    k
        Number of clusters.
    contingency
        Counts, int64 (10, k): rows are digits, columns clusters.
    purity
        Share of points that are of their cluster's most frequent digit.
    ari, ami
        Adjusted Rand index and adjusted mutual information: 1 for the same grouping, about 0 for chance.
    homogeneity, completeness, v_measure
        Whether a cluster holds one digit only, a digit lies in one cluster only, and their harmonic mean.
    matched_accuracy
        Share of points in the cluster that stands for their digit, under the best one-to-one matching (Kuhn 1955).
    """

    k: int
    contingency: NDArray[np.int64]
    purity: float
    ari: float
    ami: float
    homogeneity: float
    completeness: float
    v_measure: float
    matched_accuracy: float

    def scalars(self) -> dict[str, float]:
        """Return every number by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, int | float)}

    @property
    def majority(self) -> NDArray[np.int64]:
        """The most frequent digit of each cluster, (k,)."""
        return self.contingency.argmax(axis=0)

    @property
    def shared(self) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """Clusters with several digits, each with at least a tenth of the cluster: (cluster, digits, largest first)."""
        shares = self.contingency / np.maximum(self.contingency.sum(axis=0), 1)
        found = ((cluster, _above(shares[:, cluster])) for cluster in range(self.k))
        return tuple((cluster, digits) for cluster, digits in found if len(digits) > 1)

    @property
    def split(self) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """Digits in several clusters, each with at least a tenth of the digit: (digit, clusters, largest first)."""
        sums = self.contingency.sum(axis=1)
        shares = self.contingency / np.maximum(sums, 1)[:, None]
        found = ((digit, _above(shares[digit])) for digit in range(CLASSES) if sums[digit])
        return tuple((digit, clusters) for digit, clusters in found if len(clusters) > 1)


def agreement(labels: NDArray[np.int64], clusters: NDArray[np.int64], k: int) -> Agreement:
    """Compare clusters (n,), numbered 0 to k - 1, with labels (n,)."""
    from scipy.optimize import linear_sum_assignment
    from sklearn import metrics

    contingency = np.zeros((CLASSES, k), np.int64)
    np.add.at(contingency, (labels, clusters), 1)
    rows, columns = linear_sum_assignment(contingency, maximize=True)
    homogeneity, completeness, v_measure = metrics.homogeneity_completeness_v_measure(labels, clusters)
    return Agreement(
        k=k,
        contingency=contingency,
        purity=float(contingency.max(axis=0).sum() / len(labels)),
        ari=float(metrics.adjusted_rand_score(labels, clusters)),
        ami=float(metrics.adjusted_mutual_info_score(labels, clusters)),
        homogeneity=float(homogeneity),
        completeness=float(completeness),
        v_measure=float(v_measure),
        matched_accuracy=float(contingency[rows, columns].sum() / len(labels)),
    )


def _above(shares: NDArray[np.float64]) -> tuple[int, ...]:
    order = np.argsort(-shares, kind="stable")
    return tuple(int(place) for place in order if shares[place] >= SHARE)
