"""The discussion of an analysis: facts, and effects with verdicts by tests or stated bounds."""

from collections import Counter
from collections.abc import Iterator
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.affinities import NEIGHBORS_PER_PERPLEXITY
from experiments.analysis.attribute_tests import differences, leanings
from experiments.analysis.cluster_metrics import NOTABLE_PROPORTION, ClusterMetrics
from experiments.analysis.clusters import METHODS
from experiments.analysis.digits import BOTH, SPLITS, TEST, TRAIN
from experiments.analysis.embedding import TRUST_NEIGHBORS, VOTERS
from experiments.analysis.outliers import OUTLIER_NEIGHBOR
from experiments.analysis.result import Analysis
from experiments.datasets import CLASSES
from experiments.evaluation.effects import Effect, Fact, Topic, Verdict, bounded, judge

CONFUSING = 200  # digits of a split that are compared with the rest
OUTLIER = 4.0  # outlier score
LEAST_SEPARATION = 2.0  # times the distance expected between two means of the same class
CLOSE = 0.8  # times the median distance of class means
CLOSEST = 5  # pairs of classes
LEAST_PAIR = 5  # digits: fewer are not a pattern
LOST = 0.02  # accuracy that an embedding may lose
ALIKE_ACCURACY, ALIKE = 0.001, 0.005  # differences of two networks that are called the same

KNN = f"{VOTERS}-nearest-neighbor accuracy"
ARI = "adjusted Rand index"


def discuss(analysis: Analysis) -> tuple[Topic, ...]:
    """Discuss the analysis of one network: why these parameters, clusters and classes, and confusing digits."""
    return (
        _method(analysis),
        _embedding(analysis),
        Topic("clusters and classes", {"part": NOTABLE_PROPORTION}, tuple(_clusters(analysis))),
        *_closest_classes(analysis),
        _confusing(analysis),
        _duplicates_and_outliers(analysis),
    )


def contrast(first: Analysis, second: Analysis) -> tuple[Topic, ...]:
    """Compare two networks that were analyzed on the same digits."""
    names = (first.label, second.label) if first.label != second.label else (first.name, second.name)
    facts: dict[str, Fact] = {"first": names[0], "second": names[1]}
    old, new = first.quality, second.quality
    effects = [
        bounded("feature space", KNN, old.knn_accuracy_before, new.knn_accuracy_before, ALIKE_ACCURACY, percent=True),
        bounded("embedding", "trustworthiness", old.trustworthiness, new.trustworthiness, ALIKE),
    ]
    k = min(max(first.choice.reported), max(second.choice.reported), CLASSES)
    for method, name in METHODS.items():
        if (method, k) in first.groupings and (method, k) in second.groupings:
            before, after = (one.cluster_metrics[method, k, BOTH].ari for one in (first, second))
            effects.append(bounded(f"{name}, k = {k}", ARI, before, after, ALIKE))
    tops = [set(_top(one).tolist()) for one in (first, second)]
    if size := min(len(top) for top in tops):
        shared, expected = len(tops[0] & tops[1]), size * size / (len(first.digits) - first.digits.train)
        facts |= {"shared": shared, "top": size, "expected": expected}
        facts |= {"times": shared / expected} if shared > max(0.5 * size, 2 * expected) else {}
    if first.centroids.closest and second.centroids.closest:
        closest = [_pair(one.centroids.closest[0]) for one in (first, second)]
        facts |= {"first_closest": closest[0], "second_closest": closest[1]}
    return (Topic("feature spaces", facts, tuple(effects), " and ".join(names)),)


def _method(found: Analysis) -> Topic:
    neighbors = found.embedding.perplexity * NEIGHBORS_PER_PERPLEXITY
    class_size = len(found.digits) // max(len(found.centroids.digits), 1)
    facts: dict[str, Fact] = {
        "n": len(found.digits),
        "features": found.dimensions,
        "perplexity": found.embedding.perplexity,
        "neighbors": neighbors,
        "best": found.choice.best,
        "silhouette": max(found.choice.silhouettes),
        "elbow": found.choice.elbow,
        "exact_sample": found.exact_sample,
        "exact_agreement": found.exact_agreement,
    }
    if neighbors < class_size:
        facts["class_size"] = class_size
    if found.choice.best not in found.choice.reported[:1]:
        facts["classes"] = found.choice.reported[0]
    if found.reduced != found.dimensions:
        facts |= {"components": found.reduced, "variance": found.variance}
    return Topic("method", facts)


def _embedding(found: Analysis) -> Topic:
    quality = found.quality
    before, after = quality.knn_accuracy_before, quality.knn_accuracy
    effect = bounded("embedding against feature space", KNN, before, after, LOST, percent=True)
    facts = {
        "trustworthiness": quality.trustworthiness,
        "neighbors": TRUST_NEIGHBORS,
        "kept": quality.neighbours_kept,
        **({"lost": before - after} if effect.verdict == "lower" else {}),
    }
    return Topic("embedding", facts, (effect,))


def _clusters(found: Analysis) -> Iterator[Effect]:
    for k in found.choice.reported:
        for method, name in METHODS.items():
            metrics = found.cluster_metrics[method, k, BOTH]
            grouping, verdict = f"{name}, k = {k}", _verdict(metrics)
            yield Effect(grouping, ARI, metrics.ari, verdict=verdict)
            if verdict != "unrelated" and k >= CLASSES:  # fewer clusters must mix classes
                yield from _mixtures(metrics, grouping)
    for method, name in METHODS.items():
        yield from judge([_compare_splits(found, method, name)])


def _verdict(metrics: ClusterMetrics) -> Verdict:
    if metrics.ari >= 0.9:
        return "recovers"
    if metrics.homogeneity >= 0.9 and metrics.completeness < 0.9:
        return "subdivides"
    if metrics.ari >= 0.5:
        return "mostly recovers"
    return "weakly related" if metrics.ami >= 0.05 else "unrelated"


def _mixtures(metrics: ClusterMetrics, grouping: str) -> Iterator[Effect]:
    """Yield the clusters that several digits share, and the digits that several clusters share."""
    counts = metrics.contingency
    for cluster, digits in metrics.shared:
        what, size = f"{_list(digits)} in cluster {cluster} of {grouping}", _outside_largest(counts[:, cluster])
        yield Effect(what, "proportion outside the largest class", size, verdict="mixed cluster", percent=True)
    for digit, clusters in metrics.split:
        what, size = f"{digit} in clusters {_list(clusters)} of {grouping}", _outside_largest(counts[digit])
        yield Effect(what, "proportion outside the largest cluster", size, verdict="split class", percent=True)


def _outside_largest(counts: NDArray[np.int64]) -> float:
    return float(1 - counts.max() / counts.sum())


def _compare_splits(found: Analysis, method: str, name: str) -> Effect:
    """Compare the purity of clusters on both splits by a z-test of two proportions."""
    k = found.choice.reported[0]
    majority = found.cluster_metrics[method, k, BOTH].majority
    pure = found.digits.labels == majority[found.groupings[method, k]]
    parts = [pure[found.digits.part(split)] for split in SPLITS]
    train, test = (float(part.mean()) for part in parts)
    spread = sqrt(float(pure.var()) * sum(1 / len(part) for part in parts))
    p = 2 * NormalDist().cdf(-abs(test - train) / spread) if spread else 1.0
    what = f"{name}, k = {k}: test against training digits"
    return Effect(what, "purity", test - train, before=train, after=test, p=p, percent=True)


def _closest_classes(found: Analysis) -> Iterator[Topic]:
    pairs = found.centroids.closest
    if len(pairs) < 3:
        return
    median = float(np.median([distance for _, _, distance in pairs]))
    sizes = np.bincount(found.digits.labels, minlength=CLASSES)[found.centroids.digits]
    expected = float(np.sqrt((2 * found.centroids.spreads**2 / sizes).mean()))
    if median < LEAST_SEPARATION * expected:
        yield Topic("closest classes", {"chance": median})
        return
    bound = (1 - CLOSE) * median
    effects = (bounded(_pair(pair), "distance of class means", median, pair[2], bound) for pair in pairs[:CLOSEST])
    yield Topic("closest classes", {"close": CLOSE}, tuple(effects))


def _confusing(found: Analysis) -> Topic:
    facts: dict[str, Fact] = {}
    for split, one in found.confusing.items():
        facts |= {
            f"{split}_confusing": one.count,
            f"{split}_n": len(one.ranking.order),
            f"{split}_network": one.seen_by,
        }
    for name, choose in (("lowest", min), ("highest", max)):
        correlation, pair = choose((x, pair) for pair, x in found.confusing[TEST].ranking.correlations.items())
        facts |= {name: correlation, f"{name}_pair": " and ".join(pair).replace("_", " ")}
    part, top = found.digits.part(TEST), _top(found)
    labels = found.digits.labels[part]
    others = found.digits.labels[found.digits.part(TRAIN)][found.confusing[TEST].distances.other[top, 0]]
    attributes = {name: values[part] for name, values in found.attributes.items()}
    effects = differences(attributes, labels, top) + leanings(attributes, labels, top, others)
    facts |= {"compared": len(top)} if effects else {}
    return Topic("confusing digits", facts | _pairs(found, labels[top], others), effects)


def _pairs(found: Analysis, labels: NDArray[np.int64], others: NDArray[np.int64]) -> dict[str, Fact]:
    """Return the most frequent pairs of labels and nearest other classes, both (m,), and those with close means."""
    counted = Counter(tuple(sorted(pair)) for pair in zip(labels.tolist(), others.tolist(), strict=True))
    common = {pair: count for pair, count in counted.most_common(3) if count >= LEAST_PAIR}
    closest = {pair[:2] for pair in found.centroids.closest[:CLOSEST]}
    if not common:
        return {}
    pairs = ", ".join(f"{_pair(pair)} ({count})" for pair, count in common.items())
    facts: dict[str, Fact] = {"top": len(labels), "pairs": pairs}
    if len(found.centroids.closest) > 2 * CLOSEST:
        close = ", ".join(_pair(pair) for pair in common if pair in closest)
        facts |= {"close_pairs": close, "closest": CLOSEST} if close else {"distant_pairs": CLOSEST}
    return facts


def _duplicates_and_outliers(found: Analysis) -> Topic:
    outlying, tested = found.outliers > OUTLIER, found.digits.part(TEST)
    n, n_test, duplicates = len(found.digits), len(outlying[tested]), len(found.duplicates.test)
    facts: dict[str, Fact] = {"threshold": found.duplicates.threshold, "nth": OUTLIER_NEIGHBOR, "limit": OUTLIER}
    facts |= {"duplicates": duplicates, "tested": n_test} if duplicates else {"without_duplicates": n_test}
    facts |= {"outliers": int(outlying.sum()), "n": n} if outlying.any() else {"without_outliers": n}
    if relabeled := int(found.duplicates.labels_differ.sum()):
        facts["relabeled"] = relabeled
    if outlying_top := int(outlying[tested][_top(found)].sum()):
        facts["outlying_top"] = outlying_top
    return Topic("duplicates and outliers", facts)


def _top(found: Analysis) -> NDArray[np.int64]:
    """Return the positions of the most confusing test digits that have a neighbor of another class."""
    confusing = found.confusing[TEST]
    order = confusing.ranking.order
    order = order[confusing.distances.other[order, 0] >= 0]
    return order[: min(CONFUSING, len(order) // 10)]


def _pair(pair: tuple[float, ...]) -> str:
    return f"{pair[0]}-{pair[1]}"


def _list(items: tuple[int, ...]) -> str:
    return ", ".join(map(str, items))
