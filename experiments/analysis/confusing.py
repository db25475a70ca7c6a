"""Ranking of the digits of a split by how confusing they are, from four measures."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.class_distances import ClassDistances, class_distances
from experiments.analysis.digits import SPLITS, TEST, TRAIN, AnalyzedDigits
from experiments.analysis.held_out import NETWORK, HeldOut

SMOOTHING = 1e-6  # probability added to each class

MEASURES = MappingProxyType(
    {
        "ratio": "distance to the nearest digit of the own class over that of another class",
        "margin": "probability of the most probable other digit minus that of the label",
        "label_error": "1 - label quality by cleanlab",
        "cluster_disagreement": "proportion of other digits in the digit's cluster, mean of KMeans and Ward",
    }
)

WEIGHTS = MappingProxyType({"ratio": 1.0, "margin": 0.5, "label_error": 0.5, "cluster_disagreement": 0.5})


@dataclass(frozen=True, eq=False)
class Ranking:
    """Ranking of the n digits of one split.

    Attributes
    ----------
    measures
        float64 (n,) for each name in `MEASURES`; larger is more confusing.
    score
        float64 (n,) in [0, 1): 1 minus the weighted geometric mean of the ranks divided by n.
    order
        Indices by decreasing score, int64 (n,).
    correlations
        Spearman's rank correlation of each pair of measures, by (name, name).
    """

    measures: Mapping[str, NDArray[np.float64]]
    score: NDArray[np.float64]
    order: NDArray[np.int64]
    correlations: Mapping[tuple[str, str], float]

    @property
    def percentile(self) -> NDArray[np.float64]:
        """Proportion of the digits (n,), in (0, 1], that each is at least as confusing as: 1 for the first."""
        found = np.empty(len(self.order))
        found[self.order] = 1 - np.arange(len(self.order)) / len(self.order)
        return found


@dataclass(frozen=True, eq=False)
class ConfusingDigits:
    """The digits of one split, ranked by how confusing they are.

    Attributes
    ----------
    ranking
        Measures, scores and order.
    distances
        Nearest digits of the own class and of the others, as positions in the training digits of the analysis.
    probabilities
        float32 (n, 10), of a network that was not trained on the digits.
    seen_by
        Name of that network.
    """

    ranking: Ranking
    distances: ClassDistances
    probabilities: NDArray[np.float32]
    seen_by: str

    @property
    def count(self) -> int:
        """Number of confusing digits: those nearer to another class than to their own."""
        return int((self.ranking.measures["ratio"] > 1).sum())


def rank_splits(
    digits: AnalyzedDigits,
    points: NDArray[np.float32],
    probabilities: NDArray[np.float32],
    held_out: HeldOut,
    groupings: list[NDArray[np.int64]],
    name: str,
) -> dict[str, ConfusingDigits]:
    """Rank the digits of each split.

    Parameters
    ----------
    points, probabilities
        Features (n, d) and probabilities (n, 10) of the network called `name`; used for the test digits.
    held_out
        Used for the training digits, which this network was trained on.
    groupings
        Clusters (n,) by several methods.
    """
    train, test = (digits.part(split) for split in SPLITS)
    labels, strange = digits.labels, cluster_disagreement(digits.labels, groupings)
    near = class_distances(points[test], labels[test], points[train], labels[train])
    first = rank(held_out.ratio, labels[train], held_out.probabilities, strange[train])
    second = rank(near.ratio, labels[test], probabilities[test], strange[test])
    return {
        TRAIN: ConfusingDigits(first, held_out, held_out.probabilities, f"{NETWORK}, trained without them"),
        TEST: ConfusingDigits(second, near, probabilities[test], name),
    }


def rank(
    ratio: NDArray[np.float32],
    labels: NDArray[np.int64],
    probabilities: NDArray[np.float32],
    cluster_disagreement: NDArray[np.float64],
) -> Ranking:
    """Rank n digits by how confusing they are.

    The score is based on the product of the ranks of the four measures (Breitling et al. 2004). It needs no common
    unit, and a digit comes first if several measures rank it near the top. Margin and label error, which both use the
    probabilities, have half the weight of the ratio, as does the cluster, which is the same for many digits.

    Parameters
    ----------
    ratio, cluster_disagreement
        (n,), from `ClassDistances.ratio` and `cluster_disagreement`.
    labels
        (n,).
    probabilities
        (n, 10), of a network that was not trained on these digits.
    """
    measures = {
        "ratio": ratio.astype(np.float64),
        "margin": margin(labels, probabilities),
        "label_error": 1 - label_quality(labels, probabilities),
        "cluster_disagreement": cluster_disagreement.astype(np.float64),
    }
    score = 1 - _mean_rank(measures)
    # Scores that are equal up to rounding are ordered by the ratio.
    order = np.lexsort((-measures["ratio"], -score.round(12)))
    return Ranking(measures, score, order, _correlations(measures))


def margin(labels: NDArray[np.int64], probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    """Compute the probability (n,) of the most probable other digit minus that of the label, in [-1, 1]."""
    own = np.take_along_axis(probabilities, labels[:, None], axis=1)[:, 0].astype(np.float64)
    others = probabilities.astype(np.float64)
    np.put_along_axis(others, labels[:, None], -np.inf, axis=1)
    return others.max(axis=1) - own


def label_quality(labels: NDArray[np.int64], probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    """Compute cleanlab's label quality (n,), in [0, 1], from the probabilities (Northcutt et al. 2021).

    The method is ``confidence_weighted_entropy``: unlike ``self_confidence`` and the margin, it depends on all
    probabilities. They are smoothed, because within about 1e-7 of 0 and 1 cleanlab 2.9 returns a quality near 0 for
    labels that are right and near 1 for labels that are wrong (it divides by at least 1e-6).
    """
    from cleanlab.rank import get_label_quality_scores

    smoothed = probabilities.astype(np.float64) * (1 - probabilities.shape[1] * SMOOTHING) + SMOOTHING
    return np.asarray(get_label_quality_scores(labels, smoothed, method="confidence_weighted_entropy"))


def cluster_disagreement(labels: NDArray[np.int64], groupings: list[NDArray[np.int64]]) -> NDArray[np.float64]:
    """Compute the proportion (n,) of other classes in each digit's cluster, as a mean over groupings (n,)."""
    proportions = []
    for clusters in groupings:
        counts = np.zeros((clusters.max() + 1, labels.max() + 1))
        np.add.at(counts, (clusters, labels), 1)
        proportions.append(1 - (counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))[clusters, labels])
    return np.mean(proportions, axis=0)


def _mean_rank(measures: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Compute the weighted geometric mean of the ranks, in (0, 1], where the largest value has rank 1."""
    from scipy.stats import rankdata

    logs = [np.log(rankdata(-values) / len(values)) for values in measures.values()]
    return np.exp(np.average(logs, axis=0, weights=[WEIGHTS[name] for name in measures]))


def _correlations(measures: Mapping[str, NDArray[np.float64]]) -> dict[tuple[str, str], float]:
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
