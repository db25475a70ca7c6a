"""What the numbers of an analysis say, in words. A sentence is there only where its numbers hold it up."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.affinities import NEIGHBOURS_A_PERPLEXITY
from experiments.analysis.agreement import Agreement
from experiments.analysis.clusters import RESTARTS, WARD_NEIGHBOURS
from experiments.analysis.embedding import TRUST_NEIGHBOURS, VOTERS
from experiments.analysis.findings import BOTH, METHODS, SPLITS, TEST, Findings
from experiments.analysis.looks import differences, leanings, listed
from experiments.analysis.oddities import OUTLIER_NEIGHBOUR

CONFUSING = 200  # digits of a split that are compared with the rest
FAR_OUT = 4.0  # robust deviations
BEYOND_CHANCE = 2.0  # times the distance that two means of the same class would have
FAR_FROM_CHANCE = 2.6  # standard deviations, beyond which chance goes in 1 % of cases
LARGE = 10_000  # digits, from which all distances are too many
CLOSEST = 5  # pairs of classes
LEAST_PAIR = 5  # digits, below which a pair of classes is no pattern


@dataclass(frozen=True)
class Section:
    """Sentences under a heading; a section without any is left out."""

    heading: str
    sentences: tuple[str, ...]


def discuss(findings: Findings) -> tuple[Section, ...]:
    """Return what can be said of one network."""
    sections = [
        Section("How it was done", tuple(_method(findings))),
        Section("The map", tuple(_map(findings))),
        Section("Clusters and classes", tuple(_clusters(findings))),
        Section("Which classes lie near each other", tuple(_neighbourhood(findings))),
        Section("Confusing digits", tuple(_confusing(findings))),
        Section("What they look like", tuple(_looks(findings))),
        Section("Duplicates and outliers", tuple(_oddities(findings))),
    ]
    return tuple(section for section in sections if section.sentences)


def contrast(first: Findings, second: Findings) -> tuple[Section, ...]:
    """Return what differs between two networks that were analyzed on the same digits."""
    return (Section(f"{first.name} and {second.name}", tuple(_contrast(first, second))),)


def as_markdown(sections: Sequence[Section]) -> str:
    """Return sections as headings with paragraphs."""
    return "\n\n".join(f"## {section.heading}\n\n{' '.join(section.sentences)}" for section in sections) + "\n"


def as_text(sections: Sequence[Section]) -> str:
    """Return sections as paragraphs under a line each, without markup."""
    return "\n\n".join(f"{section.heading}\n{' '.join(section.sentences)}" for section in sections)


def _method(found: Findings) -> Iterator[str]:
    n, neighbours = len(found.digits), found.embedding.perplexity * NEIGHBOURS_A_PERPLEXITY
    kept = "" if found.dimensions == found.reduced else (
        f", reduced to {found.reduced} principal components that keep {found.variance:.1%} of their variance"
    )  # fmt: skip
    yield f"{n:,} digits, each with the {found.dimensions} outputs of the layer before the classifier{kept}."
    size = n // max(len(found.centroids.digits), 1)
    yield (
        f"t-SNE with perplexity {found.embedding.perplexity:g}, the usual value where there are digits enough, for "
        f"which the {neighbours:.0f} nearest neighbours are all that counts; "
        + (f"small beside a class of about {size:,}." if neighbours < size / 10 else f"a class has about {size:,}.")
    )
    yield (
        f"KMeans, the best of {RESTARTS} starts, for {found.count.counts[0]} to {found.count.counts[-1]} clusters; the "
        f"number with the largest silhouette, {found.count.best}, was taken ({max(found.count.silhouettes):.2f}); the "
        f"elbow of the inertia lies at {found.count.elbow}."
    )
    yield (
        "Ward's linkage, which like KMeans joins what adds least to the variance within clusters, so that the two can "
        f"be compared; joined were only clusters with neighbours among the {WARD_NEIGHBOURS} nearest, "
        + (f"for all distances would take {n * (n - 1) * 4 / 1e9:.1f} GB. " if n > LARGE else "as in larger sets. ")
        + f"On {found.exact_sample:,} of the digits its ten clusters agree with exact Ward's with an adjusted Rand "
        f"index of {found.exact_agreement:.3f}."
    )


def _map(found: Findings) -> Iterator[str]:
    quality = found.quality
    yield (
        f"By the majority of {VOTERS} neighbours, {quality.knn_accuracy:.2%} of the digits fall to their class in the "
        f"map, {quality.knn_accuracy_before:.2%} in feature space."
    )
    lost = quality.knn_accuracy_before - quality.knn_accuracy
    if lost > 0.02:
        yield f"The map loses {lost:.1%} of that: do not read fine structure off it."
    yield (
        f"Its trustworthiness is {quality.trustworthiness:.3f} (of {TRUST_NEIGHBOURS} neighbours): what is near in the "
        + (
            "map is seldom far in feature space. "
            if quality.trustworthiness >= 0.97
            else "map is at times far in feature space. "
        )
        + f"Of a digit's {TRUST_NEIGHBOURS} nearest in the map {quality.neighbours_kept:.0%} are among its "
        f"{TRUST_NEIGHBOURS} nearest there."
    )


def _clusters(found: Findings) -> Iterator[str]:
    for k in found.counts:
        for method, name in METHODS.items():
            yield from _grouping(found.agreements[method, k, BOTH], f"{name} with {k} clusters")
    k = found.counts[0]
    for method, name in METHODS.items():
        yield from _splits_apart(found, method, k, name)


def _grouping(agreement: Agreement, name: str) -> Iterator[str]:
    numbers = (
        f"adjusted Rand index {agreement.ari:.3f}, adjusted mutual information {agreement.ami:.3f}, purity "
        f"{agreement.purity:.1%}, {agreement.matched_accuracy:.1%} in the cluster that stands for their digit"
    )
    if agreement.ari >= 0.9:
        verdict = "finds the classes nearly as they are"
    elif agreement.homogeneity >= 0.9 and agreement.completeness < 0.9:
        verdict = "divides the classes further, into clusters of nearly one digit each"
    elif agreement.ari >= 0.5:
        verdict = "finds most of the classes"
    elif agreement.ami >= 0.05:
        verdict = "has something of the classes, and no more"
    else:
        yield f"{name} has nothing to do with the classes: {numbers}."
        return
    yield f"{name} {verdict}: {numbers}."
    for cluster, digits in agreement.shared:
        yield f"Digits {listed(digits)} share cluster {cluster}."
    for digit, clusters in agreement.split:
        yield f"Digit {digit} is split over clusters {listed(clusters)}."
    if not agreement.shared and not agreement.split:
        yield from _largest_exchange(agreement)


def _largest_exchange(agreement: Agreement) -> Iterator[str]:
    """Say which part of a class most often lies in a cluster of another."""
    strangers = agreement.contingency.copy()
    strangers[agreement.majority, np.arange(agreement.k)] = 0
    shares = strangers / np.maximum(agreement.contingency.sum(axis=1), 1)[:, None]
    digit, cluster = np.unravel_index(shares.argmax(), shares.shape)
    if strangers[digit, cluster] >= LEAST_PAIR:
        yield (
            f"No digit has a tenth of its images in a cluster of another; the most, {shares[digit, cluster]:.1%}, has "
            f"{digit} in that of {agreement.majority[cluster]}."
        )


def _splits_apart(found: Findings, method: str, k: int, name: str) -> Iterator[str]:
    """Say on which split the clusters fit the classes better, if chance would hardly have it so (two proportions)."""
    majority = found.agreements[method, k, BOTH].majority
    pure = found.digits.labels == majority[found.clusters(method, k)]
    parts = [pure[found.digits.part(split)] for split in SPLITS]
    train, test = (float(part.mean()) for part in parts)
    spread = float(np.sqrt(pure.mean() * (1 - pure.mean()) * sum(1 / len(part) for part in parts)))
    if abs(train - test) > FAR_FROM_CHANCE * spread > 0:
        better = SPLITS[int(test > train)]
        yield (
            f"{name} fits the {better} digits better: {train:.1%} of train and {test:.1%} of test are of their "
            "cluster's most frequent digit."
        )


def _neighbourhood(found: Findings) -> Iterator[str]:
    pairs = found.centroids.closest
    if len(pairs) < 3:
        return
    spread = float(np.median([distance for _, _, distance in pairs]))
    sizes = np.bincount(found.digits.labels, minlength=10)[found.centroids.digits]
    by_chance = float(np.sqrt((2 * found.centroids.spreads**2 / sizes).mean()))
    if spread < BEYOND_CHANCE * by_chance:
        yield f"The means of the classes lie no farther apart ({spread:.2g}) than chance would have them."
        return
    first, second, distance = pairs[0]
    if distance < 0.8 * spread:
        yield (
            f"The classes whose means lie closest are {first} and {second} ({distance:.1f} apart, where the middle "
            f"pair is {spread:.1f}), then {pairs[1][0]} and {pairs[1][1]} ({pairs[1][2]:.1f})."
        )
    else:
        yield f"No two classes stand out as close: the nearest means, {first} and {second}, are {distance:.1f} apart."


def _confusing(found: Findings) -> Iterator[str]:
    yield (
        "A digit is confusing where the nearest digit of another class is nearer than the nearest of its own: the "
        "ratio of the two distances, above 1. A ratio needs no unit, and no classifier; the digit must be new to the "
        "network that measures, since a network pulls what it has learned to the side of its label, rightly or not."
    )
    for split in SPLITS:
        confusing = found.confusing[split]
        above = int((confusing.ranking.measures["ratio"] > 1).sum())
        yield f"{above:,} of {len(confusing.ranking.order):,} {split} digits are confusing to {confusing.seen_by}."
    yield from _pairs(found)
    agreement = found.confusing[TEST].ranking.agreement
    (a, b), low = min(agreement.items(), key=lambda item: item[1])
    (c, d), high = max(agreement.items(), key=lambda item: item[1])
    yield (
        f"The measures agree most in {_plain(c)} and {_plain(d)} (rank correlation {high:.2f} over the test digits), "
        f"least in {_plain(a)} and {_plain(b)} ({low:.2f}); the ranking joins them by the product of their ranks."
    )


def _pairs(found: Findings) -> Iterator[str]:
    """Say which pairs of classes the most confusing test digits lie between."""
    confusing = found.confusing[TEST]
    labels = found.digits.labels[found.digits.part(TEST)]
    top = _top(found, TEST)
    others = found.digits.labels[: found.digits.train][confusing.closeness.other[top, 0]]
    counted = Counter(tuple(sorted(pair)) for pair in zip(labels[top].tolist(), others.tolist(), strict=True))
    common = [(pair, count) for pair, count in counted.most_common(3) if count >= LEAST_PAIR]
    if not common:
        return
    pairs = ", ".join(f"{a} and {b} ({count})" for (a, b), count in common)
    yield f"Among the {len(top)} most confusing test digits the commonest pairs of label and near class are {pairs}."
    if len(found.centroids.closest) <= 2 * CLOSEST:
        return
    closest = {pair[:2] for pair in found.centroids.closest[:CLOSEST]}
    near = [f"{a}-{b}" for (a, b), _ in common if (a, b) in closest]
    verb = "are" if len(near) > 1 else "is"
    yield (
        f"Of these pairs {listed(near or ['none'])} {verb} among the {CLOSEST} with the closest class means, of "
        f"{len(found.centroids.closest)} pairs."
    )


def _looks(found: Findings) -> Iterator[str]:
    """Compare the confusing test digits with the others of their class in what can be measured on them."""
    labels = found.digits.labels[found.digits.part(TEST)]
    top = _top(found, TEST)
    traits = {name: values[found.digits.part(TEST)] for name, values in found.traits.items()}
    others = found.digits.labels[: found.digits.train][found.confusing[TEST].closeness.other[top, 0]]
    yield from differences(traits, labels, top)
    yield from leanings(traits, labels, top, others)


def _oddities(found: Findings) -> Iterator[str]:
    duplicates = found.duplicates
    if len(duplicates.test):
        differ = int(duplicates.labels_differ.sum())
        labels = f", {differ} of them under another label" if differ else ", each under the same label"
        yield (
            f"Test digits that are nearly in the training split too: {len(duplicates.test)}{labels}. They differ from "
            f"one of its digits by at most {duplicates.threshold:.3f} (root mean square of the pixels), a quarter of "
            "what is usual."
        )
    else:
        yield f"No test digit is nearly identical to a training digit (none within {duplicates.threshold:.3f})."
    far = int((found.outliers > FAR_OUT).sum())
    if far:
        part = found.digits.part(TEST)
        top = _top(found, TEST)
        both = int((found.outliers[part][top] > FAR_OUT).sum())
        yield (
            f"{far} digits lie more than {FAR_OUT:g} robust deviations farther from their {OUTLIER_NEIGHBOUR}th "
            f"neighbour than is usual; {both} of the {len(top)} most confusing test digits are among them."
        )


def _contrast(first: Findings, second: Findings) -> Iterator[str]:
    names = first.name, second.name
    for measure, text, least in (
        ("knn_accuracy_before", "share of digits that fall to their class by their neighbours in feature space", 0.001),
        ("trustworthiness", "trustworthiness of the map", 0.005),
    ):
        values = [getattr(found.quality, measure) for found in (first, second)]
        yield from _larger(names, values, text, least)
    k = min(max(first.counts), max(second.counts), 10)
    for method in METHODS:
        if (method, k, BOTH) in first.agreements and (method, k, BOTH) in second.agreements:
            values = [found.agreements[method, k, BOTH].ari for found in (first, second)]
            yield from _larger(names, values, f"adjusted Rand index of {METHODS[method]} with {k} clusters", 0.005)
    tops = [set(_top(found, TEST).tolist()) for found in (first, second)]
    shared, size = len(tops[0] & tops[1]), min(len(top) for top in tops)
    expected = size * size / max(len(first.digits) - first.digits.train, 1)
    if size:
        yield f"Of their {size} most confusing test digits they share {shared}; by chance it would be {expected:.0f}."
        if shared > 0.5 * size and shared > 2 * expected:
            yield "Most of what confuses lies in the digits, then, and not in the network."
    closest = [found.centroids.closest[0][:2] for found in (first, second) if found.centroids.closest]
    if len(closest) == 2:
        if closest[0] == closest[1]:
            yield f"Both have {closest[0][0]} and {closest[0][1]} closest together."
        else:
            yield (
                f"The closest classes are {closest[0][0]} and {closest[0][1]} to {names[0]}, {closest[1][0]} and "
                f"{closest[1][1]} to {names[1]}."
            )


def _larger(names: tuple[str, str], values: Sequence[float], text: str, least: float) -> Iterator[str]:
    if abs(values[0] - values[1]) < least:
        yield f"They hardly differ in the {text} ({values[0]:.4f} and {values[1]:.4f})."
    else:
        better = int(values[1] > values[0])
        yield f"The {text} is larger for {names[better]} ({values[better]:.4f} against {values[1 - better]:.4f})."


def _top(found: Findings, split: str) -> NDArray[np.int64]:
    """Return the most confusing digits of a split that have a neighbour of another class, as positions in it."""
    confusing = found.confusing[split]
    order = confusing.ranking.order
    order = order[confusing.closeness.other[order, 0] >= 0]
    return order[: min(CONFUSING, len(order) // 10)]


def _plain(name: str) -> str:
    return name.replace("_", " ")
