"""Which digits confuse a network: four measures, and one ranking of them all."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

SOFTENED = 1e-6  # of probability, given to each class

MEASURES = MappingProxyType(
    {
        "ratio": "distance to the nearest digit of the own class over that to the nearest of another",
        "margin": "probability of the most probable other digit, less that of the label",
        "label_error": "1 - cleanlab's label quality: how little the probabilities support the label",
        "cluster_disagreement": "share of other digits in the digit's cluster, mean of KMeans and Ward",
    }
)

WEIGHTS = MappingProxyType({"ratio": 1.0, "margin": 0.5, "label_error": 0.5, "cluster_disagreement": 0.5})


@dataclass(frozen=True, eq=False)
class Ranking:
    """Digits of one split, from the most to the least confusing.

    Attributes
    ----------
    measures
        float64 (n,) for each name in `MEASURES`: the larger, the more confusing.
    score
        float64 (n,) in [0, 1): 1 less the weighted geometric mean of the digit's ranks over n.
    order
        int64 (n,): indices by falling score.
    agreement
        Spearman's rank correlation of each pair of measures over the digits, by (name, name).
    """

    measures: Mapping[str, NDArray[np.float64]]
    score: NDArray[np.float64]
    order: NDArray[np.int64]
    agreement: Mapping[tuple[str, str], float]

    @property
    def share(self) -> NDArray[np.float64]:
        """Share of the digits, (n,) in (0, 1], that come no earlier in the ranking than each: 1 for the first."""
        shares = np.empty(len(self.order))
        shares[self.order] = 1 - np.arange(len(self.order)) / len(self.order)
        return shares


def rank(
    ratio: NDArray[np.float32],
    labels: NDArray[np.int64],
    probabilities: NDArray[np.float32],
    cluster_disagreement: NDArray[np.float64],
) -> Ranking:
    """Rank n digits by how confusing they are.

    The four measures are joined by the product of their ranks (Breitling et al. 2004): it needs no common unit, and
    a digit comes first when several measures put it near the top, wherever the rest of the ranking lies. Margin and
    label error, both of the probabilities, count half each; so does the cluster, which says one thing of many digits.

    Parameters
    ----------
    ratio, cluster_disagreement
        (n,), from `closeness` and `cluster_disagreement`.
    labels
        (n,).
    probabilities
        (n, 10), of a network that has not learned from these digits.
    """
    measures = {
        "ratio": ratio.astype(np.float64),
        "margin": margin(labels, probabilities),
        "label_error": 1 - label_quality(labels, probabilities),
        "cluster_disagreement": cluster_disagreement.astype(np.float64),
    }
    score = 1 - _mean_rank(measures)
    # Where scores tie, but for rounding, the larger ratio comes first.
    order = np.lexsort((-measures["ratio"], -score.round(12)))
    return Ranking(measures, score, order, _agreement(measures))


def margin(labels: NDArray[np.int64], probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return, (n,) in [-1, 1], by how much the most probable other digit beats the label."""
    own = np.take_along_axis(probabilities, labels[:, None], axis=1)[:, 0].astype(np.float64)
    others = probabilities.astype(np.float64)
    np.put_along_axis(others, labels[:, None], -np.inf, axis=1)
    return others.max(axis=1) - own


def label_quality(labels: NDArray[np.int64], probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return cleanlab's score (n,) in [0, 1] of how well the probabilities support the label (Northcutt et al. 2021).

    With method ``confidence_weighted_entropy``: where ``self_confidence`` looks at the label's probability alone, which
    the margin does already, this one also asks how undecided the network is.

    Of probabilities within some 1e-7 of 0 and 1, cleanlab 2.9 gives a quality near 0 to a label that is certainly right
    and near 1 to one that is certainly wrong, since it divides by no less than 1e-6; so they are kept from the ends.
    """
    from cleanlab.rank import get_label_quality_scores

    softened = probabilities.astype(np.float64) * (1 - probabilities.shape[1] * SOFTENED) + SOFTENED
    return np.asarray(get_label_quality_scores(labels, softened, method="confidence_weighted_entropy"))


def cluster_disagreement(labels: NDArray[np.int64], groupings: list[NDArray[np.int64]]) -> NDArray[np.float64]:
    """Return, (n,) in [0, 1], the share of other classes in each digit's cluster, as a mean over groupings (n,)."""
    shares = []
    for clusters in groupings:
        counts = np.zeros((clusters.max() + 1, labels.max() + 1))
        np.add.at(counts, (clusters, labels), 1)
        shares.append(1 - (counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))[clusters, labels])
    return np.mean(shares, axis=0)


def _mean_rank(measures: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the weighted geometric mean of the ranks, in (0, 1], of values that are the more confusing the larger."""
    from scipy.stats import rankdata

    logs = [np.log(rankdata(-values) / len(values)) for values in measures.values()]
    return np.exp(np.average(logs, axis=0, weights=[WEIGHTS[name] for name in measures]))


def _agreement(measures: Mapping[str, NDArray[np.float64]]) -> dict[tuple[str, str], float]:
    from scipy.stats import rankdata

    names = list(measures)
    ranks = np.stack([rankdata(measures[name]) for name in names])
    spread = np.ptp(ranks, axis=1) > 0
    return {
        (first, second): float(np.corrcoef(ranks[i], ranks[j])[0, 1]) if spread[i] and spread[j] else 0.0
        for i, first in enumerate(names)
        for j, second in enumerate(names)
        if i < j
    }
