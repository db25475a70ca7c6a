"""The verdicts on features whose truth is known: perfect clusters, random labels, merged and split classes."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.analysis.centroids import centroids
from experiments.analysis.class_distances import class_distances
from experiments.analysis.cluster_metrics import compare_with_classes
from experiments.analysis.clusters import kmeans, reported_clusters, ward
from experiments.analysis.confusing import ConfusingDigits, cluster_disagreement, rank
from experiments.analysis.digits import SPLITS, AnalyzedDigits
from experiments.analysis.discussion import contrast, discuss
from experiments.analysis.duplicates import near_duplicates
from experiments.analysis.embedding import embed, embedding_quality, neighbors_needed
from experiments.analysis.image_attributes import image_attributes
from experiments.analysis.neighbors import nearest
from experiments.analysis.outliers import outlier_scores
from experiments.analysis.result import Analysis
from experiments.analysis.tsne import TsneSchedule
from experiments.evaluation.effects import Topic, from_json, to_json
from experiments.reporting.discussion.analysis import TEMPLATES
from experiments.reporting.discussion.text import to_markdown

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
        name=f"uci-{name} v1",
        label=name,
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


def topic(found: Analysis, name: str) -> Topic:
    return {one.name: one for one in discuss(found)}[name]


def verdicts(topic: Topic, measure: str = "") -> dict[str, str]:
    return {one.what: one.verdict for one in topic.effects if not measure or one.measure == measure}


def test_perfect_clusters_recover_the_classes(perfect: Analysis) -> None:
    clusters = topic(perfect, "clusters and classes")
    assert verdicts(clusters, "adjusted Rand index") == {"KMeans, k = 10": "recovers", "Ward, k = 10": "recovers"}
    assert {one.size for one in clusters.effects if one.verdict == "recovers"} == {1}
    assert not {"mixed cluster", "split class"} & {*verdicts(clusters).values()}
    assert topic(perfect, "method").facts["best"] == 10
    assert set(verdicts(topic(perfect, "embedding")).values()) == {"same"}
    assert topic(perfect, "confusing digits").facts["test_confusing"] == 0
    assert set(verdicts(topic(perfect, "closest classes")).values()) == {"same"}


def test_random_labels_have_no_effects(by_chance: Analysis) -> None:
    found = verdicts(topic(by_chance, "clusters and classes"))
    assert set(found.values()) == {"unrelated", "not significant"}
    assert topic(by_chance, "closest classes").effects == ()
    assert set(verdicts(topic(by_chance, "confusing digits")).values()) == {"not significant"}
    assert topic(by_chance, "confusing digits").facts["test_confusing"] > 100  # type: ignore[operator]


def test_two_merged_classes_are_the_only_mixed_ones(merged: Analysis) -> None:
    found = verdicts(topic(merged, "clusters and classes"))
    mixed = [what for what, verdict in found.items() if verdict == "mixed cluster"]
    assert mixed
    assert all(what.startswith(("4, 7 in", "7, 4 in")) for what in mixed)
    closest = topic(merged, "closest classes")
    assert [what for what, verdict in verdicts(closest).items() if verdict == "lower"] == ["4-7"]
    facts = topic(merged, "confusing digits").facts
    assert str(facts["pairs"]).startswith("4-7 (")
    assert facts["close_pairs"] == "4-7"


def test_a_digit_in_two_places_is_the_only_split_one(labels: NDArray[np.int64]) -> None:
    places = np.where((labels == 3) & (np.arange(N) % 2 == 0), 10, labels)
    found = analyzed(blobs(places, 10 * np.eye(11)), labels)
    split = [one for one in topic(found, "clusters and classes").effects if one.verdict == "split class"]
    assert topic(found, "method").facts["best"] == 11
    assert split
    assert all(one.what.startswith("3 in clusters") for one in split)
    assert all(0.4 < one.size < 0.6 for one in split)


def test_clusters_within_classes_subdivide_them() -> None:
    rng = np.random.default_rng(7)
    labels = rng.integers(0, 2, N)
    found = analyzed(blobs(labels * 5 + rng.integers(0, 5, N), far_apart()), labels)
    groupings = verdicts(topic(found, "clusters and classes"), "adjusted Rand index")
    assert groupings["KMeans, k = 10"] == "subdivides"
    assert not {"weakly related", "unrelated"} & {*groupings.values()}


@pytest.mark.parametrize("seed", range(5))
def test_splits_that_are_alike_do_not_differ_in_purity(seed: int) -> None:
    labels = np.random.default_rng(seed).integers(0, 10, N)
    found = analyzed(blobs(labels, far_apart(), spread=3.0), labels)
    assert set(verdicts(topic(found, "clusters and classes"), "purity").values()) == {"not significant"}


def test_a_split_that_clusters_fit_worse_has_a_lower_purity(labels: NDArray[np.int64]) -> None:
    points = blobs(labels, far_apart())
    points[TRAIN:] = blobs(np.random.default_rng(8).permutation(labels[TRAIN:]), far_apart())
    purity = verdicts(topic(analyzed(points, labels), "clusters and classes"), "purity")
    assert set(purity.values()) == {"lower"}


def test_an_embedding_that_loses_accuracy_is_lower(perfect: Analysis) -> None:
    found = topic(replace(perfect, quality=replace(perfect.quality, knn_accuracy=0.9)), "embedding")
    assert found.effects[0].verdict == "lower"
    assert found.facts["lost"] == pytest.approx(0.1)


def test_duplicates_and_outliers_are_counted_where_there_are_any(perfect: Analysis) -> None:
    name = "duplicates and outliers"
    facts = topic(perfect, name).facts
    assert {"without_duplicates": 300, "without_outliers": N}.items() <= facts.items()
    assert not {"duplicates", "relabeled", "outliers", "outlying_top"} & facts.keys()
    images = perfect.digits.images.copy()
    images[TRAIN] = images[0]
    labels = np.append(perfect.digits.labels[1:], 0)
    twins = near_duplicates(images[:TRAIN], perfect.digits.labels[:TRAIN], images[TRAIN:], labels[TRAIN:])
    few = replace(perfect, duplicates=twins, outliers=np.where(np.arange(N) < 2, 5.0, 0.0))
    assert {"duplicates": 1, "tested": 300, "outliers": 2, "n": N}.items() <= topic(few, name).facts.items()


def test_two_networks_of_the_same_label_are_called_by_their_versions(perfect: Analysis) -> None:
    for second, names in ((replace(perfect, label="other"), "net and other"), (perfect, "uci-net v1 and uci-net v1")):
        (found,) = contrast(perfect, second)
        assert found.subject == names


def test_a_network_is_the_same_as_itself(perfect: Analysis) -> None:
    (found,) = contrast(perfect, perfect)
    assert set(verdicts(found).values()) == {"same"}
    assert found.facts["shared"] == found.facts["top"] == 30
    assert found.facts["times"] == pytest.approx(10)


def test_the_better_of_two_networks_is_higher(labels: NDArray[np.int64], perfect: Analysis) -> None:
    blurred = analyzed(blobs(labels, far_apart(), spread=4.0), labels, name="blurred")
    for pair, verdict in (((perfect, blurred), "lower"), ((blurred, perfect), "higher")):
        (found,) = contrast(*pair)
        assert verdicts(found)["feature space"] == verdict


def test_all_sentences_can_be_written_and_recorded(perfect: Analysis, merged: Analysis) -> None:
    topics = (*discuss(merged), *contrast(perfect, merged))
    assert {one.name for one in topics} == TEMPLATES.keys()
    text = to_markdown(topics)
    assert "nan" not in text
    assert from_json(to_json(topics)) == topics
