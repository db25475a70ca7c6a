"""Description of an analysis in words. A sentence is included only if a test or a stated bound supports it."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.affinities import NEIGHBORS_PER_PERPLEXITY
from experiments.analysis.attribute_tests import differences, leanings
from experiments.analysis.cluster_metrics import ClusterMetrics
from experiments.analysis.clusters import METHODS, RESTARTS, WARD_NEIGHBORS
from experiments.analysis.digits import BOTH, SPLITS, TEST
from experiments.analysis.embedding import TRUST_NEIGHBORS, VOTERS
from experiments.analysis.outliers import OUTLIER_NEIGHBOR
from experiments.analysis.result import Analysis
from experiments.analysis.text import Section, listed
from experiments.datasets import CLASSES

CONFUSING = 200  # digits of a split that are compared with the rest
OUTLIER = 4.0  # outlier score
LEAST_SEPARATION = 2.0  # times the distance expected between two means of the same class
CRITICAL_VALUE = 2.6  # standard deviations: p = 0.01, two-sided
LARGE = 10_000  # digits: the matrix of all distances takes gigabytes
CLOSEST = 5  # pairs of classes
LEAST_PAIR = 5  # digits: fewer are not a pattern


def discuss(analysis: Analysis) -> tuple[Section, ...]:
    """Describe the analysis of one network; sections without sentences are left out."""
    sections = [
        Section("Method", tuple(_method(analysis))),
        Section("Embedding", tuple(_embedding(analysis))),
        Section("Clusters and classes", tuple(_clusters(analysis))),
        Section("Closest classes", tuple(_closest_classes(analysis))),
        Section("Confusing digits", tuple(_confusing(analysis))),
        Section("Attributes of confusing digits", tuple(_attributes(analysis))),
        Section("Duplicates and outliers", tuple(_duplicates(analysis)) + tuple(_outliers(analysis))),
    ]
    return tuple(section for section in sections if section.sentences)


def contrast(first: Analysis, second: Analysis) -> tuple[Section, ...]:
    """Describe the differences between two networks that were analyzed on the same digits."""
    return (Section(f"{first.name} and {second.name}", tuple(_contrast(first, second))),)


def _method(found: Analysis) -> Iterator[str]:
    n, neighbors = len(found.digits), found.embedding.perplexity * NEIGHBORS_PER_PERPLEXITY
    choice = found.choice
    kept = "" if found.dimensions == found.reduced else (
        f", reduced to {found.reduced} principal components with {found.variance:.1%} of their variance"
    )  # fmt: skip
    yield f"{n:,} digits, each with {found.dimensions} features from the layer before the classifier{kept}."
    size = n // max(len(found.centroids.digits), 1)
    yield (
        f"t-SNE with perplexity {found.embedding.perplexity:g} over the {neighbors:.0f} nearest neighbors; "
        + (f"few compared with a class of about {size:,}." if neighbors < size / 10 else f"a class has about {size:,}.")
    )
    yield (
        f"KMeans, the best of {RESTARTS} starts, for {choice.counts[0]} to {choice.counts[-1]} clusters; {choice.best} "
        f"have the largest silhouette ({max(choice.silhouettes):.2f}); the elbow of the inertia is at {choice.elbow}."
    )
    yield (
        "Ward's linkage, which like KMeans minimizes the variance within clusters, over a graph of the "
        f"{WARD_NEIGHBORS} nearest neighbors"
        + (f", because all distances take {n * (n - 1) * 4 / 1e9:.1f} GB. " if n > LARGE else ". ")
        + f"On {found.exact_sample:,} of the digits, the adjusted Rand index of its ten clusters with those of exact "
        f"Ward is {found.exact_agreement:.3f}."
    )


def _embedding(found: Analysis) -> Iterator[str]:
    quality = found.quality
    yield (
        f"The {VOTERS}-nearest-neighbor accuracy is {quality.knn_accuracy:.2%} in the embedding and "
        f"{quality.knn_accuracy_before:.2%} in feature space."
    )
    lost = quality.knn_accuracy_before - quality.knn_accuracy
    if lost > 0.02:
        yield f"The embedding loses {lost:.1%}: do not interpret its fine structure."
    frequency = "seldom" if quality.trustworthiness >= 0.97 else "sometimes"
    yield (
        f"Its trustworthiness is {quality.trustworthiness:.3f} (for {TRUST_NEIGHBORS} neighbors): neighbors in the "
        f"embedding are {frequency} far apart in feature space. Of a digit's {TRUST_NEIGHBORS} nearest neighbors in "
        f"the embedding, {quality.neighbours_kept:.0%} are among its {TRUST_NEIGHBORS} nearest in feature space."
    )


def _clusters(found: Analysis) -> Iterator[str]:
    for k in found.choice.reported:
        for method, name in METHODS.items():
            yield from _grouping(found.cluster_metrics[method, k, BOTH], f"{name} with {k} clusters")
    for method in METHODS:
        yield from _compare_splits(found, method)


def _grouping(metrics: ClusterMetrics, name: str) -> Iterator[str]:
    numbers = (
        f"adjusted Rand index {metrics.ari:.3f}, adjusted mutual information {metrics.ami:.3f}, purity "
        f"{metrics.purity:.1%}, matched accuracy {metrics.matched_accuracy:.1%}"
    )
    if metrics.ari >= 0.9:
        verdict = "recovers the classes almost exactly"
    elif metrics.homogeneity >= 0.9 and metrics.completeness < 0.9:
        verdict = "divides the classes into smaller clusters, each of almost one digit only"
    elif metrics.ari >= 0.5:
        verdict = "recovers most of the classes"
    elif metrics.ami >= 0.05:
        verdict = "is weakly related to the classes"
    else:
        yield f"{name} is unrelated to the classes: {numbers}."
        return
    yield f"{name} {verdict}: {numbers}."
    for cluster, digits in metrics.shared:
        yield f"Digits {listed(digits)} share cluster {cluster}."
    for digit, clusters in metrics.split:
        yield f"Digit {digit} is split over clusters {listed(clusters)}."
    if not metrics.shared and not metrics.split:
        yield from _largest_error(metrics)


def _largest_error(metrics: ClusterMetrics) -> Iterator[str]:
    """Describe the largest part of a class that lies in a cluster of another class."""
    errors = metrics.contingency.copy()
    errors[metrics.majority, np.arange(metrics.k)] = 0
    proportions = errors / np.maximum(metrics.contingency.sum(axis=1), 1)[:, None]
    digit, cluster = np.unravel_index(proportions.argmax(), proportions.shape)
    if errors[digit, cluster] >= LEAST_PAIR:
        yield (
            f"No digit has a tenth of its images in a cluster of another; the largest part is "
            f"{proportions[digit, cluster]:.1%}, of {digit} in the cluster of {metrics.majority[cluster]}."
        )


def _compare_splits(found: Analysis, method: str) -> Iterator[str]:
    """Describe a significant difference in purity between the splits (z-test of two proportions)."""
    k = found.choice.reported[0]
    majority = found.cluster_metrics[method, k, BOTH].majority
    pure = found.digits.labels == majority[found.groupings[method, k]]
    parts = [pure[found.digits.part(split)] for split in SPLITS]
    train, test = (float(part.mean()) for part in parts)
    spread = float(np.sqrt(pure.mean() * (1 - pure.mean()) * sum(1 / len(part) for part in parts)))
    if abs(train - test) > CRITICAL_VALUE * spread > 0:
        better = SPLITS[int(test > train)]
        yield (
            f"{METHODS[method]} fits the {better} digits better: its purity is {train:.1%} on train and {test:.1%} on "
            "test."
        )


def _closest_classes(found: Analysis) -> Iterator[str]:
    pairs = found.centroids.closest
    if len(pairs) < 3:
        return
    spread = float(np.median([distance for _, _, distance in pairs]))
    sizes = np.bincount(found.digits.labels, minlength=CLASSES)[found.centroids.digits]
    expected = float(np.sqrt((2 * found.centroids.spreads**2 / sizes).mean()))
    if spread < LEAST_SEPARATION * expected:
        yield f"The class means are no farther apart ({spread:.2g}) than means of random digits."
        return
    first, second, distance = pairs[0]
    if distance < 0.8 * spread:
        yield (
            f"The closest class means are those of {first} and {second} ({distance:.1f} apart; the median is "
            f"{spread:.1f}), then {pairs[1][0]} and {pairs[1][1]} ({pairs[1][2]:.1f})."
        )
    else:
        yield f"No pair of classes is notably close: the closest means, {first} and {second}, are {distance:.1f} apart."


def _confusing(found: Analysis) -> Iterator[str]:
    yield (
        "A digit is confusing if the nearest digit of another class is nearer than the nearest digit of its own: if "
        "the ratio of the two distances is above 1. The ratio has no unit and uses no classifier. The network must not "
        "have been trained on the digit, because training moves digits towards their labels, wrong ones too."
    )
    for split in SPLITS:
        confusing = found.confusing[split]
        total = len(confusing.ranking.order)
        yield f"{confusing.count:,} of {total:,} {split} digits are confusing to {confusing.seen_by}."
    yield from _pairs(found)
    correlations = found.confusing[TEST].ranking.correlations
    (a, b), low = min(correlations.items(), key=lambda item: item[1])
    (c, d), high = max(correlations.items(), key=lambda item: item[1])
    yield (
        f"Of the measures, {_plain(c)} and {_plain(d)} have the highest rank correlation over the test digits "
        f"({high:.2f}), {_plain(a)} and {_plain(b)} the lowest ({low:.2f}). The ranking combines them by the product "
        "of their ranks."
    )


def _pairs(found: Analysis) -> Iterator[str]:
    """Describe the most frequent pairs of classes among the most confusing test digits."""
    confusing = found.confusing[TEST]
    labels = found.digits.labels[found.digits.part(TEST)]
    top = _top(found, TEST)
    others = found.digits.labels[: found.digits.train][confusing.distances.other[top, 0]]
    counted = Counter(tuple(sorted(pair)) for pair in zip(labels[top].tolist(), others.tolist(), strict=True))
    common = [(pair, count) for pair, count in counted.most_common(3) if count >= LEAST_PAIR]
    if not common:
        return
    pairs = ", ".join(f"{a} and {b} ({count})" for (a, b), count in common)
    yield f"Most frequent pairs of label and nearest other class of the {len(top)} most confusing test digits: {pairs}."
    if len(found.centroids.closest) <= 2 * CLOSEST:
        return
    closest = {pair[:2] for pair in found.centroids.closest[:CLOSEST]}
    near = [f"{a}-{b}" for (a, b), _ in common if (a, b) in closest]
    verb = "are" if len(near) > 1 else "is"
    yield (
        f"Of these pairs, {listed(near or ['none'])} {verb} among the {CLOSEST} with the closest class means, of "
        f"{len(found.centroids.closest)} pairs."
    )


def _attributes(found: Analysis) -> Iterator[str]:
    """Compare the attributes of the most confusing test digits with those of the others."""
    part, top = found.digits.part(TEST), _top(found, TEST)
    labels = found.digits.labels[part]
    attributes = {name: values[part] for name, values in found.attributes.items()}
    others = found.digits.labels[: found.digits.train][found.confusing[TEST].distances.other[top, 0]]
    yield from differences(attributes, labels, top)
    yield from leanings(attributes, labels, top, others)


def _duplicates(found: Analysis) -> Iterator[str]:
    duplicates = found.duplicates
    if len(duplicates.test):
        differ = int(duplicates.labels_differ.sum())
        labels = f", {differ} of them with another label" if differ else ", all with the same label"
        yield (
            f"Test digits that are nearly identical to a training digit: {len(duplicates.test)}{labels}. Their root "
            f"mean square difference is at most {duplicates.threshold:.3f}, a quarter of the median."
        )
    else:
        yield f"No test digit is nearly identical to a training digit (none within {duplicates.threshold:.3f})."


def _outliers(found: Analysis) -> Iterator[str]:
    outlying = found.outliers > OUTLIER
    if outlying.any():
        top = _top(found, TEST)
        confusing = int(outlying[found.digits.part(TEST)][top].sum())
        yield (
            f"{int(outlying.sum())} digits are outliers: the distance to their {OUTLIER_NEIGHBOR}th neighbor is more "
            f"than {OUTLIER:g} robust standard deviations above the median. {confusing} of the {len(top)} most "
            "confusing test digits are among them."
        )


def _contrast(first: Analysis, second: Analysis) -> Iterator[str]:
    names = first.name, second.name
    for measure, text, least in (
        ("knn_accuracy_before", "nearest-neighbor accuracy in feature space", 0.001),
        ("trustworthiness", "trustworthiness of the embedding", 0.005),
    ):
        values = [getattr(found.quality, measure) for found in (first, second)]
        yield from _larger(names, values, text, least)
    k = min(max(first.choice.reported), max(second.choice.reported), CLASSES)
    for method in METHODS:
        if (method, k) in first.groupings and (method, k) in second.groupings:
            values = [found.cluster_metrics[method, k, BOTH].ari for found in (first, second)]
            yield from _larger(names, values, f"adjusted Rand index of {METHODS[method]} with {k} clusters", 0.005)
    tops = [set(_top(found, TEST).tolist()) for found in (first, second)]
    shared, size = len(tops[0] & tops[1]), min(len(top) for top in tops)
    expected = size * size / max(len(first.digits) - first.digits.train, 1)
    if size:
        yield f"They share {shared} of their {size} most confusing test digits; {expected:.0f} are expected by chance."
        if shared > 0.5 * size and shared > 2 * expected:
            yield "So confusion is mostly a property of the digits and not of the network."
    closest = [found.centroids.closest[0][:2] for found in (first, second) if found.centroids.closest]
    if len(closest) == 2:
        if closest[0] == closest[1]:
            yield f"In both, the closest class means are those of {closest[0][0]} and {closest[0][1]}."
        else:
            yield (
                f"The closest class means are those of {closest[0][0]} and {closest[0][1]} in {names[0]}, of "
                f"{closest[1][0]} and {closest[1][1]} in {names[1]}."
            )


def _larger(names: tuple[str, str], values: Sequence[float], text: str, least: float) -> Iterator[str]:
    if abs(values[0] - values[1]) < least:
        yield f"They have about the same {text} ({values[0]:.4f} and {values[1]:.4f})."
    else:
        better = int(values[1] > values[0])
        yield f"The {text} is larger for {names[better]} ({values[better]:.4f} against {values[1 - better]:.4f})."


def _top(found: Analysis, split: str) -> NDArray[np.int64]:
    """Return the positions in a split of its most confusing digits that have a neighbor of another class."""
    confusing = found.confusing[split]
    order = confusing.ranking.order
    order = order[confusing.distances.other[order, 0] >= 0]
    return order[: min(CONFUSING, len(order) // 10)]


def _plain(name: str) -> str:
    return name.replace("_", " ")
