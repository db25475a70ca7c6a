"""Comparison of clusters, found without labels, with the classes."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.digits import BOTH, SPLITS, AnalyzedDigits
from experiments.datasets import CLASSES

NOTABLE_PROPORTION = 0.1  # of a class or a cluster: smaller parts are not mentioned


@dataclass(frozen=True, eq=False)
class ClusterMetrics:
    """Agreement of clusters with classes.

    Attributes
    ----------
    k
        Number of clusters.
    contingency
        Counts, int64 (10, k): rows are digits, columns clusters.
    purity
        Proportion of points that belong to the most frequent digit of their cluster.
    ari, ami
        Adjusted Rand index and adjusted mutual information: 1 for identical groupings, about 0 for random ones.
    homogeneity, completeness, v_measure
        Degree to which each cluster contains one digit only, each digit lies in one cluster only, and their harmonic
        mean; all in [0, 1].
    matched_accuracy
        Accuracy of the best one-to-one assignment of clusters to digits (Kuhn 1955).
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
        """Return the metrics by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, float)}

    @property
    def majority(self) -> NDArray[np.int64]:
        """The most frequent digit of each cluster, (k,)."""
        return self.contingency.argmax(axis=0)

    @property
    def shared(self) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """Clusters with several digits, each at least a tenth of the cluster: (cluster, digits, largest first)."""
        proportions = self.contingency / np.maximum(self.contingency.sum(axis=0), 1)
        found = ((cluster, _notable(proportions[:, cluster])) for cluster in range(self.k))
        return tuple((cluster, digits) for cluster, digits in found if len(digits) > 1)

    @property
    def split(self) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """Digits in several clusters, each with at least a tenth of the digit: (digit, clusters, largest first)."""
        sums = self.contingency.sum(axis=1)
        proportions = self.contingency / np.maximum(sums, 1)[:, None]
        found = ((digit, _notable(proportions[digit])) for digit in range(CLASSES) if sums[digit])
        return tuple((digit, clusters) for digit, clusters in found if len(clusters) > 1)


def cluster_metrics(labels: NDArray[np.int64], clusters: NDArray[np.int64], k: int) -> ClusterMetrics:
    """Compare clusters (n,), numbered 0 to k - 1, with labels (n,)."""
    from scipy.optimize import linear_sum_assignment
    from sklearn import metrics

    contingency = np.zeros((CLASSES, k), np.int64)
    np.add.at(contingency, (labels, clusters), 1)
    rows, columns = linear_sum_assignment(contingency, maximize=True)
    homogeneity, completeness, v_measure = metrics.homogeneity_completeness_v_measure(labels, clusters)
    return ClusterMetrics(
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


def compare_with_classes(
    groupings: Mapping[tuple[str, int], NDArray[np.int64]], digits: AnalyzedDigits
) -> dict[tuple[str, int, str], ClusterMetrics]:
    """Compare each grouping with the classes, on both splits together and on each."""
    return {
        (method, k, split): cluster_metrics(digits.labels[digits.part(split)], clusters[digits.part(split)], k)
        for (method, k), clusters in groupings.items()
        for split in (BOTH, *SPLITS)
    }


def _notable(proportions: NDArray[np.float64]) -> tuple[int, ...]:
    order = np.argsort(-proportions, kind="stable")
    return tuple(int(index) for index in order if proportions[index] >= NOTABLE_PROPORTION)
