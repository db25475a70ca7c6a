"""Figures of analyses of feature spaces."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.clusters import METHODS, CountChoice, Tree
from experiments.analysis.confusing import MEASURES, Ranking
from experiments.analysis.digits import BOTH, TEST, TRAIN, AnalyzedDigits
from experiments.analysis.duplicates import Duplicates
from experiments.analysis.result import Analysis
from experiments.datasets import CLASSES
from experiments.reporting.drawing import Drawing
from experiments.reporting.figure_parts.captioned_grid import GRID_CELLS
from experiments.reporting.figure_parts.digit_images import DigitImages
from experiments.reporting.figures.centroid_distances import centroid_distances
from experiments.reporting.figures.cluster_count import cluster_count
from experiments.reporting.figures.confusing_gallery import ConfusingDigit, Neighbor, confusing_gallery
from experiments.reporting.figures.contingency_heatmap import contingency_heatmap
from experiments.reporting.figures.dendrogram import dendrogram
from experiments.reporting.figures.feature_map import feature_map
from experiments.reporting.figures.measure_agreement import measure_agreement
from experiments.reporting.figures.outlier_gallery import outlier_gallery
from experiments.reporting.figures.pairs_gallery import MAX_SHOWN, pairs_gallery

GALLERY = 20  # confusing digits of each split
BRANCHES = 20  # leaves of the dendrogram


def analysis_drawings(found: Analysis, dataset: str) -> dict[str, Drawing]:
    """Return the figures of an analysis by name; `dataset` is part of their titles."""
    about = f"{found.name} on {dataset}"
    means, title = found.centroids, f"{about}: distances between the class means"
    return {
        **dict(_maps(found, about)),
        "cluster_count": _cluster_count(found.choice, f"{about}: choice of the number of clusters"),
        **dict(_contingencies(found, about)),
        "dendrogram": tree_drawing(found.tree, found.digits.labels, f"{about}: top of Ward's hierarchy"),
        "centroids": Drawing.of(centroid_distances, means.digits, means.distances, means.spreads, title),
        **dict(_confusing(found, dataset, about)),
        "duplicates": duplicates_drawing(
            found.digits, found.duplicates, f"{about}: test digits with a near duplicate in the training split"
        ),
        "outliers": outliers_drawing(found.digits, found.outliers, f"{about}: digits farthest from all others"),
    }


def _maps(found: Analysis, about: str) -> Iterator[tuple[str, Drawing]]:
    places, labels = found.embedding.positions.astype(np.float32), found.digits.labels.astype(np.uint8)
    title = f"{about}: t-SNE of {len(labels):,} digits, by label"
    yield "map", Drawing.of(feature_map, places, labels, "digits", title)
    predicted = found.probabilities.argmax(axis=1).astype(np.uint8)
    yield "map_predicted", Drawing.of(feature_map, places, predicted, "digits", f"{about}: t-SNE, by prediction")
    k = found.choice.reported[0]
    for method, name in METHODS.items():
        clusters, title = found.groupings[method, k].astype(np.uint8), f"{about}: t-SNE, by {name}, k = {k}"
        yield f"map_{method}", Drawing.of(feature_map, places, clusters, "clusters", title)
    scores = np.concatenate([confusing.ranking.percentile for confusing in found.confusing.values()])
    title = f"{about}: t-SNE, by confusion score"
    yield "map_confusion", Drawing.of(feature_map, places, scores.astype(np.float32), "scores", title)


def _cluster_count(choice: CountChoice, title: str) -> Drawing:
    return Drawing.of(
        cluster_count, choice.counts, choice.silhouettes, choice.inertias, choice.best, choice.elbow, title
    )


def _contingencies(found: Analysis, about: str) -> Iterator[tuple[str, Drawing]]:
    for (method, k, split), metrics in found.cluster_metrics.items():
        part = "train and test" if split == BOTH else split
        title = f"{about}, {part}: {METHODS[method]}, k = {k}, against the classes"
        scores = (metrics.purity, metrics.ari, metrics.ami)
        drawing = Drawing.of(contingency_heatmap, metrics.contingency, *scores, title)
        yield f"contingency_{method}_{k}_{split}", drawing


def tree_drawing(tree: Tree, labels: NDArray[np.int64], title: str, branches: int = BRANCHES) -> Drawing:
    """Return the figure of the top of a tree over points with labels (n,): at most `branches` of its branches."""
    points = len(labels)
    count = min(branches, points)
    nodes, leaf = np.unique(tree.branches(count), return_inverse=True)
    number = dict(zip(nodes.tolist(), range(count), strict=True))
    number |= {2 * points - count + merge: count + merge for merge in range(count - 1)}  # the last merges of the tree
    children = [[number[node] for node in pair] for pair in tree.children[points - count :].tolist()]
    counts = np.zeros((count, CLASSES), np.int64)
    np.add.at(counts, (leaf, labels), 1)
    merges = np.array(children, np.int64).reshape(-1, 2)
    return Drawing.of(dendrogram, merges, tree.heights[points - count :], counts, title)


def _confusing(found: Analysis, dataset: str, about: str) -> Iterator[tuple[str, Drawing]]:
    for split, confusing in found.confusing.items():
        title = f"{about}, {split}: correlation of the confusion measures"
        yield f"measures_{split}", agreement_drawing(confusing.ranking, title)
        title = f"{dataset} {split}, as {confusing.seen_by} sees it: most confusing digits"
        rows, total = _confusing_digits(found, split), len(confusing.ranking.order)
        yield f"confusing_{split}", Drawing.of(confusing_gallery, rows, total, title)


def agreement_drawing(ranking: Ranking, title: str) -> Drawing:
    """Return the figure of the correlations of confusion measures."""
    names = list(ranking.measures) if len(ranking.order) else []
    correlations = np.eye(len(names))
    for (first, second), correlation in ranking.correlations.items():
        if names:
            i, j = names.index(first), names.index(second)
            correlations[i, j] = correlations[j, i] = correlation
    return Drawing.of(measure_agreement, {name: MEASURES[name] for name in names}, correlations, title)


def _confusing_digits(found: Analysis, split: str) -> list[ConfusingDigit]:
    """Return the most confusing digits of a split with their nearest neighbors."""
    confusing, part = found.confusing[split], found.digits.part(split)
    images, labels, index = (of[part] for of in (found.digits.images, found.digits.labels, found.digits.index))
    near = confusing.distances
    return [
        ConfusingDigit(
            image=images[place],
            split=split,
            index=int(index[place]),
            label=int(labels[place]),
            predicted=int(confusing.probabilities[place].argmax()),
            probability=float(confusing.probabilities[place].max()),
            ratio=float(confusing.ranking.measures["ratio"][place]),
            score=float(confusing.ranking.score[place]),
            rank=rank,
            others=_neighbors(found, near.other[place], near.other_distances[place]),
            own=_neighbors(found, near.own[place], near.own_distances[place]),
        )
        for rank, place in enumerate(confusing.ranking.order[:GALLERY].tolist(), start=1)
    ]


def _neighbors(found: Analysis, places: NDArray[np.int64], distances: NDArray[np.float32]) -> tuple[Neighbor, ...]:
    digits, predicted = found.digits, found.confusing["train"].probabilities
    return tuple(
        Neighbor(
            image=digits.images[place],
            split="train",
            index=int(digits.index[place]),
            label=int(digits.labels[place]),
            distance=float(distance),
            probability=float(predicted[place, digits.labels[place]]),
        )
        for place, distance in zip(places.tolist(), distances.tolist(), strict=True)
        if place >= 0
    )


def duplicates_drawing(digits: AnalyzedDigits, pairs: Duplicates, title: str) -> Drawing:
    """Return the figure of the most similar pairs of a test digit and a training digit."""
    test = _digit_images(digits, digits.train + pairs.test[:MAX_SHOWN])
    train = _digit_images(digits, pairs.train[:MAX_SHOWN])
    return Drawing.of(pairs_gallery, test, train, pairs.distances[:MAX_SHOWN], len(pairs.test), title)


def outliers_drawing(digits: AnalyzedDigits, scores: NDArray[np.float64], title: str) -> Drawing:
    """Return the figure of the digits with the highest of the outlier scores (n,)."""
    far = np.argsort(-scores, kind="stable")[:GRID_CELLS]
    return Drawing.of(outlier_gallery, _digit_images(digits, far), scores[far], len(digits), title)


def _digit_images(digits: AnalyzedDigits, places: NDArray[np.int64]) -> DigitImages:
    splits = np.where(places < digits.train, TRAIN, TEST)
    return DigitImages(digits.images[places], splits, digits.index[places], digits.labels[places])
