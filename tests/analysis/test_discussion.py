"""What is said of feature sets whose truth is known: perfect clusters, random labels, classes that lie together."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.analysis.attribute_tests import differences, leanings
from experiments.analysis.centroids import centroids
from experiments.analysis.class_distances import class_distances
from experiments.analysis.cluster_metrics import compare_with_classes
from experiments.analysis.clusters import kmeans, reported_clusters, ward
from experiments.analysis.confusing import ConfusingDigits, cluster_disagreement, rank
from experiments.analysis.digits import SPLITS, AnalyzedDigits
from experiments.analysis.discussion import contrast, discuss
from experiments.analysis.duplicates import near_duplicates
from experiments.analysis.embedding import embed, embedding_quality, neighbors_needed
from experiments.analysis.image_attributes import ATTRIBUTES, image_attributes
from experiments.analysis.neighbors import nearest
from experiments.analysis.outliers import outlier_scores
from experiments.analysis.result import Analysis
from experiments.analysis.text import Section, as_markdown
from experiments.analysis.tsne import TsneSchedule

N, TRAIN = 1200, 900


def analyzed(points: NDArray[np.float32], labels: NDArray[np.int64], sure: float = 0.99, name: str = "net") -> Analysis:
    """Analyze points as features of a network that gives the label the probability `sure`."""
    rng = np.random.default_rng(0)
    digits = AnalyzedDigits(rng.integers(0, 255, (N, 28, 28)).astype(np.uint8), labels, np.arange(N), TRAIN)
    probabilities = np.full((N, 10), (1 - sure) / 9, np.float32)
    probabilities[np.arange(N), labels] = sure
    neighbors = nearest(points, neighbors_needed(N))
    embedding = embed(points, neighbors, 2, TsneSchedule(exaggerated=60, steps=20))
    choice, tree = kmeans(points, range(2, 13)), ward(points, neighbors)
    groupings = reported_clusters(choice, tree)
    strange = cluster_disagreement(labels, [choice.groupings[10], tree.cut(10)])
    train, test = digits.part("train"), digits.part("test")
    confusing = {}
    for split in SPLITS:
        part = digits.part(split)
        others = slice(0, TRAIN // 2) if split == "train" else train
        near = class_distances(points[part], labels[part], points[others], labels[others])
        ranking = rank(near.ratio, labels[part], probabilities[part], strange[part])
        confusing[split] = ConfusingDigits(ranking, near, probabilities[part], name)
    return Analysis(
        name=name,
        digits=digits,
        probabilities=probabilities,
        dimensions=points.shape[1],
        reduced=points.shape[1],
        variance=1.0,
        embedding=embedding,
        quality=embedding_quality(points, neighbors, labels, embedding.positions),
        choice=choice,
        tree=tree,
        exact_agreement=1.0,
        exact_sample=N,
        groupings=groupings,
        cluster_metrics=compare_with_classes(groupings, digits),
        confusing=confusing,
        centroids=centroids(points, labels),
        duplicates=near_duplicates(digits.images[train], labels[train], digits.images[test], labels[test]),
        outliers=outlier_scores(neighbors),
        attributes=image_attributes(digits.images),
    )


def blobs(labels: NDArray[np.int64], centers: NDArray[np.float64], spread: float = 0.3) -> NDArray[np.float32]:
    rng = np.random.default_rng(1)
    return (centers[labels] + spread * rng.normal(size=(len(labels), centers.shape[1]))).astype(np.float32)


def far_apart() -> NDArray[np.float64]:
    return 10 * np.eye(10)


@pytest.fixture(scope="module")
def labels() -> NDArray[np.int64]:
    return np.random.default_rng(2).integers(0, 10, N)


@pytest.fixture(scope="module")
def perfect(labels: NDArray[np.int64]) -> Analysis:
    return analyzed(blobs(labels, far_apart()), labels)


@pytest.fixture(scope="module")
def by_chance(labels: NDArray[np.int64]) -> Analysis:
    return analyzed(np.random.default_rng(3).normal(size=(N, 10)).astype(np.float32), labels, sure=0.1)


@pytest.fixture(scope="module")
def merged(labels: NDArray[np.int64]) -> Analysis:
    centers = far_apart()
    centers[7] = centers[4]
    return analyzed(blobs(labels, centers), labels)


def said(found: Analysis) -> str:
    return as_markdown(discuss(found))


def test_perfect_clusters_are_said_to_be_the_classes(perfect: Analysis) -> None:
    text = said(perfect)
    assert "KMeans with 10 clusters recovers the classes almost exactly: adjusted Rand index 1.000" in text
    assert "; 10 have the largest silhouette" in text
    for word in ("share cluster", "is split over", "unrelated to", "The embedding loses"):
        assert word not in text
    assert "0 of 300 test digits are confusing" in text
    assert "No pair of classes is notably close" in text


def test_of_random_labels_nothing_is_made(by_chance: Analysis) -> None:
    text = said(by_chance)
    assert "is unrelated to the classes" in text
    for word in (
        "recovers the classes",
        "recovers most",
        "share cluster",
        "is split over",
        "The closest class means are",
    ):
        assert word not in text
    assert "no farther apart" in text
    for word in ("They are", "they lean towards", "closed loops"):
        assert word not in text


def test_two_merged_classes_are_named_and_no_others(merged: Analysis) -> None:
    text = said(merged)
    assert "Digits 4 and 7 share cluster" in text or "Digits 7 and 4 share cluster" in text
    assert text.count("share cluster") == sum(
        len(merged.cluster_metrics[method, k, "both"].shared)
        for method in ("kmeans", "ward")
        for k in merged.choice.reported
    )
    assert "The closest class means are those of 4 and 7" in text
    assert "confusing test digits: 4 and 7" in text
    assert "Of these pairs, 4-7 is among the 5 with the closest class means, of 45 pairs." in text


def test_a_digit_that_lies_in_two_places_is_said_to_be_split(labels: NDArray[np.int64]) -> None:
    centers = np.vstack([10 * np.eye(11)])
    places = np.where((labels == 3) & (np.arange(N) % 2 == 0), 10, labels)
    text = said(analyzed(blobs(places, centers), labels))
    assert "; 11 have the largest silhouette" in text
    assert "Digit 3 is split over clusters" in text
    assert text.count("Digit ") == text.count("Digit 3 ")


def test_clusters_that_divide_classes_are_not_said_to_miss_them() -> None:
    rng = np.random.default_rng(7)
    labels = rng.integers(0, 2, N)
    places = labels * 5 + rng.integers(0, 5, N)  # five heaps a class
    text = said(analyzed(blobs(places, far_apart()), labels))
    assert "KMeans with 10 clusters divides the classes into smaller clusters, each of almost one digit only" in text
    assert "weakly related" not in text
    assert "unrelated" not in text


@pytest.mark.parametrize("seed", range(5))
def test_a_difference_between_the_splits_that_chance_makes_is_not_said(seed: int) -> None:
    labels = np.random.default_rng(seed).integers(0, 10, N)
    found = analyzed(blobs(labels, far_apart(), spread=3.0), labels)
    assert "fits the" not in said(found)


def test_a_split_that_fits_worse_is_said(labels: NDArray[np.int64]) -> None:
    points = blobs(labels, far_apart())
    points[TRAIN:] = blobs(np.random.default_rng(8).permutation(labels[TRAIN:]), far_apart())
    assert "KMeans fits the train digits better" in said(analyzed(points, labels))


def test_networks_that_see_the_same_are_not_said_to_differ(perfect: Analysis) -> None:
    (section,) = contrast(perfect, perfect)
    text = " ".join(section.sentences)
    assert "is larger for" not in text
    assert "They have about the same trustworthiness" in text


def test_the_better_of_two_networks_is_named(labels: NDArray[np.int64], perfect: Analysis) -> None:
    blurred = analyzed(blobs(labels, far_apart(), spread=4.0), labels, name="blurred")
    for pair in ((perfect, blurred), (blurred, perfect)):
        (section,) = contrast(*pair)
        text = " ".join(section.sentences)
        assert "accuracy in feature space is larger for net (" in text
        assert "larger for blurred" not in text


def as_attributes(values: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    return {"thickness": values}


@pytest.mark.parametrize(("shift", "word"), [(2.0, "thicker"), (-2.0, "thinner")])
def test_a_trait_in_which_digits_differ_is_said_with_its_direction(shift: float, word: str) -> None:
    rng = np.random.default_rng(4)
    labels, top = rng.integers(0, 10, 1000), np.arange(100)
    values = labels + rng.normal(size=1000)
    values[top] += shift
    (sentence,) = differences(as_attributes(values), labels, top)
    assert f"They are {word} than others of their class, by " in sentence
    assert abs(float(sentence.partition("by ")[2].split()[0]) - 2.0) < 0.4


@pytest.mark.parametrize("seed", range(20))
def test_a_trait_in_which_they_do_not_differ_is_not_said(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, 1000)
    values = {name: rng.normal(size=1000) for name in ATTRIBUTES}
    top = rng.permutation(1000)[:100]
    assert not list(differences(values, labels, top))
    assert not list(leanings(values, labels, top, rng.integers(0, 10, 100)))


def test_a_difference_between_classes_is_no_difference_within_them() -> None:
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 10, 1000)
    values = 5.0 * labels + rng.normal(size=1000)
    top = np.flatnonzero(labels == 9)[:60]  # thick as all nines are
    assert not list(differences(as_attributes(values), labels, top))


def test_digits_that_lean_to_the_class_they_are_near_are_said_to() -> None:
    rng = np.random.default_rng(6)
    labels = np.repeat([1, 7], 500)
    values = np.where(labels == 1, 0.0, 10.0) + rng.normal(size=1000)
    top = np.arange(50)
    values[top] += 2
    (sentence,) = leanings(as_attributes(values), labels, top, np.full(50, 7))
    assert sentence.startswith("In thickness (")
    assert not list(leanings(as_attributes(-values), labels, top[:5], np.full(5, 7)))


def test_unusual_loops_are_said() -> None:
    labels, top = np.repeat([0, 1], 500), np.arange(60)
    loops = np.where(labels == 0, 1.0, 0.0)
    loops[top[:40]] = 0
    (sentence,) = differences({"loops": loops}, labels, top)
    assert sentence.startswith("67% of them have an unusual number of closed loops")


def test_sections_without_sentences_are_left_out(perfect: Analysis) -> None:
    assert all(section.sentences for section in discuss(perfect))


@pytest.mark.parametrize("make", [discuss, lambda found: contrast(found, found)])
def test_every_sentence_ends_and_has_no_blank_filled_with_nothing(
    make: Callable[[Analysis], tuple[Section, ...]], perfect: Analysis
) -> None:
    for section in make(perfect):
        for sentence in section.sentences:
            assert sentence.endswith(".")
            assert "nan" not in sentence.split()
            assert "None" not in sentence
            assert "  " not in sentence
