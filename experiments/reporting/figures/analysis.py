"""All figures of an analysis."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.clusters import METHODS
from experiments.reporting.figures.cluster_count import cluster_count
from experiments.reporting.figures.confusing import (
    ConfusingDigit,
    Neighbor,
    confusing_gallery,
    outlier_gallery,
    pairs_gallery,
)
from experiments.reporting.figures.dendrogram import dendrogram
from experiments.reporting.figures.feature_heatmaps import centroid_distances, contingency_heatmap, measure_agreement
from experiments.reporting.figures.feature_map import feature_map

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from experiments.analysis.result import Analysis

GALLERY = 20  # confusing digits of each split
OUTLIERS = 25


def analysis_figures(found: "Analysis", dataset: str) -> Iterator[tuple[str, "Figure"]]:
    """Yield the figures of an analysis with their names; `dataset` is part of their titles."""
    about = f"{found.name} on {dataset}"
    yield from _maps(found, about)
    yield "cluster_count", cluster_count(found.choice, f"{about}: how many clusters")
    for method, name in METHODS.items():
        for k in found.choice.reported:
            for part in ("both", "train", "test"):
                title = f"{about}, {part if part != 'both' else 'train and test'}: {name}, k = {k}, against the classes"
                yield (
                    f"contingency_{method}_{k}_{part}",
                    contingency_heatmap(found.cluster_metrics[method, k, part], title),
                )
    yield "dendrogram", dendrogram(found.tree, found.digits.labels, f"{about}: top of Ward's hierarchy")
    yield "centroids", centroid_distances(found.centroids, f"{about}: distances between the classes' means")
    for split, confusing in found.confusing.items():
        yield (
            f"measures_{split}",
            measure_agreement(confusing.ranking, f"{about}, {split}: agreement of the measures of confusion"),
        )
        title = f"{dataset} {split}, as {confusing.seen_by} sees it: most confusing digits"
        rows, total = confusing_digits(found, split, GALLERY), len(confusing.ranking.order)
        yield f"confusing_{split}", confusing_gallery(rows, title, GALLERY, total)
    yield "duplicates", _duplicates(found, f"{about}: test digits that training nearly has too")
    yield "outliers", _outliers(found, f"{about}: digits farthest from any others")


def _maps(found: "Analysis", about: str) -> Iterator[tuple[str, "Figure"]]:
    places, digits = found.embedding.positions, found.digits
    yield "map", feature_map(places, digits.labels, f"{about}: t-SNE of {len(digits):,} digits, by label", "digits")
    predicted = found.probabilities.argmax(axis=1)
    yield "map_predicted", feature_map(places, predicted, f"{about}: t-SNE, by prediction", "digits")
    for method, name in METHODS.items():
        k = found.choice.reported[0]
        yield (
            f"map_{method}",
            feature_map(places, found.groupings[method, k], f"{about}: t-SNE, by {name}, k = {k}", "clusters"),
        )
    scores = np.concatenate([confusing.ranking.percentile for confusing in found.confusing.values()])
    yield "map_confusion", feature_map(places, scores, f"{about}: t-SNE, by place among the confusing", "scores")


def confusing_digits(found: "Analysis", split: str, limit: int) -> list[ConfusingDigit]:
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
        for rank, place in enumerate(confusing.ranking.order[:limit].tolist(), start=1)
    ]


def _neighbors(found: "Analysis", places: NDArray[np.int64], distances: NDArray[np.float32]) -> tuple[Neighbor, ...]:
    digits, said = found.digits, found.confusing["train"].probabilities
    return tuple(
        Neighbor(
            image=digits.images[place],
            split="train",
            index=int(digits.index[place]),
            label=int(digits.labels[place]),
            distance=float(distance),
            probability=float(said[place, digits.labels[place]]),
        )
        for place, distance in zip(places.tolist(), distances.tolist(), strict=True)
        if place >= 0
    )


def _duplicates(found: "Analysis", title: str) -> "Figure":
    pairs, digits = found.duplicates, found.digits
    test, train = digits.part("test"), digits.part("train")
    captions = [
        f"test {digits.index[test][one]} ({digits.labels[test][one]})\n"
        f"train {digits.index[train][other]} ({digits.labels[train][other]}), rms {distance:.3f}"
        for one, other, distance in zip(pairs.test, pairs.train, pairs.distances, strict=True)
    ]
    left, right = digits.images[test][pairs.test], digits.images[train][pairs.train]
    return pairs_gallery(left, right, captions, title)


def _outliers(found: "Analysis", title: str) -> "Figure":
    digits = found.digits
    far = np.argsort(-found.outliers, kind="stable")[:OUTLIERS]
    splits = np.where(far < digits.train, "train", "test")
    captions = [
        f"{split} {digits.index[place]}: {digits.labels[place]}\nz = {found.outliers[place]:.1f}"
        for split, place in zip(splits, far, strict=True)
    ]
    return outlier_gallery(digits.images[far], captions, title, len(digits))
