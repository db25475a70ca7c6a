"""The verdicts on features whose truth is known: perfect clusters, random labels, merged and split classes."""

from dataclasses import replace

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
from experiments.analysis.embedding import Embedding, Quality, knn_accuracy
from experiments.analysis.image_attributes import ATTRIBUTES, image_attributes
from experiments.analysis.neighbors import nearest
from experiments.analysis.outliers import outlier_scores
from experiments.analysis.result import Analysis
from experiments.evaluation.effects import Topic, from_json, to_json
from experiments.reporting.discussion.analysis import TEMPLATES
from experiments.reporting.discussion.text import to_markdown

N, TRAIN = 600, 450
FAR_APART = 10 * np.eye(10)


def analyzed(points: NDArray[np.float32], labels: NDArray[np.int64], sure: float = 0.99, name: str = "net") -> Analysis:
    """Analyze points as features of a network that gives the label the probability `sure`; their map is as good."""
    rng = np.random.default_rng(0)
    digits = AnalyzedDigits(rng.integers(0, 255, (N, 28, 28)).astype(np.uint8), labels, np.arange(N), TRAIN)
    probabilities = np.full((N, 10), (1 - sure) / 9, np.float32)
    probabilities[np.arange(N), labels] = sure
    neighbors = nearest(points, 10)
    accuracy = knn_accuracy(neighbors, labels)
    choice, tree = kmeans(points, (9, 10, 11)), ward(points, neighbors)
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
        embedding=Embedding(points[:, :2], 30.0),
        quality=Quality(accuracy, accuracy, 0.99, 0.9),
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


def blobs(
    labels: NDArray[np.int64], centers: NDArray[np.float64] = FAR_APART, spread: float = 0.3
) -> NDArray[np.float32]:
    rng = np.random.default_rng(1)
    return (centers[labels] + spread * rng.normal(size=(len(labels), centers.shape[1]))).astype(np.float32)


@pytest.fixture(scope="module")
def labels() -> NDArray[np.int64]:
    return np.random.default_rng(2).integers(0, 10, N)


@pytest.fixture(scope="module")
def perfect(labels: NDArray[np.int64]) -> Analysis:
    return analyzed(blobs(labels), labels)


@pytest.fixture(scope="module")
def merged(labels: NDArray[np.int64]) -> Analysis:
    centers = FAR_APART.copy()
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


def test_random_labels_have_no_effects(labels: NDArray[np.int64]) -> None:
    by_chance = analyzed(np.random.default_rng(3).normal(size=(N, 10)).astype(np.float32), labels, sure=0.1)
    found = verdicts(topic(by_chance, "clusters and classes"))
    assert set(found.values()) == {"unrelated", "not significant"}
    assert topic(by_chance, "closest classes").effects == ()
    confusing = topic(by_chance, "confusing digits")
    assert set(verdicts(confusing).values()) == {"not significant"}
    assert confusing.facts["test_confusing"] == by_chance.confusing["test"].count > 50


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
    found = analyzed(blobs(labels * 5 + rng.integers(0, 5, N)), labels)
    groupings = verdicts(topic(found, "clusters and classes"), "adjusted Rand index")
    assert groupings["KMeans, k = 10"] == "subdivides"
    assert not {"weakly related", "unrelated"} & {*groupings.values()}


def test_only_a_split_that_clusters_fit_worse_has_a_lower_purity(labels: NDArray[np.int64]) -> None:
    for seed in range(2):
        alike = np.random.default_rng(seed).integers(0, 10, N)
        found = topic(analyzed(blobs(alike, spread=3.0), alike), "clusters and classes")
        assert set(verdicts(found, "purity").values()) == {"not significant"}
    points = blobs(labels)
    points[TRAIN:] = blobs(np.random.default_rng(8).permutation(labels[TRAIN:]))
    purity = verdicts(topic(analyzed(points, labels), "clusters and classes"), "purity")
    assert set(purity.values()) == {"lower"}


def test_an_embedding_that_loses_accuracy_is_lower(perfect: Analysis) -> None:
    found = topic(replace(perfect, quality=replace(perfect.quality, knn_accuracy=0.9)), "embedding")
    assert found.effects[0].verdict == "lower"
    assert found.facts["lost"] == pytest.approx(0.1)


def test_duplicates_and_outliers_are_counted_where_there_are_any(perfect: Analysis) -> None:
    name = "duplicates and outliers"
    facts = topic(perfect, name).facts
    assert {"without_duplicates": 150, "without_outliers": N}.items() <= facts.items()
    assert not {"duplicates", "relabeled", "outliers", "outlying_top"} & facts.keys()
    images = perfect.digits.images.copy()
    images[TRAIN] = images[0]
    labels = np.append(perfect.digits.labels[1:], 0)
    twins = near_duplicates(images[:TRAIN], perfect.digits.labels[:TRAIN], images[TRAIN:], labels[TRAIN:])
    few = replace(perfect, duplicates=twins, outliers=np.where(np.arange(N) < 2, 5.0, 0.0))
    assert {"duplicates": 1, "tested": 150, "outliers": 2, "n": N}.items() <= topic(few, name).facts.items()


def test_a_network_is_the_same_as_itself_and_called_by_its_version(perfect: Analysis) -> None:
    (found,) = contrast(perfect, perfect)
    assert found.subject == "uci-net v1 and uci-net v1"
    assert set(verdicts(found).values()) == {"same"}
    assert found.facts["shared"] == found.facts["top"] == 15
    assert found.facts["times"] == pytest.approx(10)
    (found,) = contrast(perfect, replace(perfect, label="other"))
    assert found.subject == "net and other"


def test_the_better_of_two_networks_is_higher(labels: NDArray[np.int64], perfect: Analysis) -> None:
    blurred = analyzed(blobs(labels, spread=4.0), labels, name="blurred")
    for pair, verdict in (((perfect, blurred), "lower"), ((blurred, perfect), "higher")):
        (found,) = contrast(*pair)
        assert verdicts(found)["feature space"] == verdict


def test_all_sentences_can_be_written_and_recorded(perfect: Analysis, merged: Analysis) -> None:
    topics = (*discuss(merged), *contrast(perfect, merged))
    assert {one.name for one in topics} == TEMPLATES.keys()
    assert "nan" not in to_markdown(topics)
    assert from_json(to_json(topics)) == topics


@pytest.mark.parametrize(("shift", "verdict"), [(2.0, "higher"), (-2.0, "lower"), (0.25, "negligible")])
def test_a_changed_attribute_differs_by_the_change(shift: float, verdict: str) -> None:
    rng = np.random.default_rng(4)
    labels, top = rng.integers(0, 10, 20_000), np.arange(2000)
    values = 5.0 * labels + rng.normal(size=20_000)
    values[top] += shift
    (effect,) = differences({"thickness": values}, labels, top)
    assert effect.verdict == verdict
    assert effect.size == pytest.approx(shift, abs=0.1)
    # Unusual loops are counted against the mode of the class.
    loops = (labels % 2).astype(float)
    loops[:1500] = 2
    (effect,) = differences({"loops": loops}, labels, top)
    assert (effect.verdict, effect.before, effect.after) == ("higher", 0, 0.75)


def test_attributes_of_random_digits_do_not_differ() -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        labels = rng.integers(0, 10, 1000)
        values = {name: rng.normal(size=1000) for name in ATTRIBUTES}
        top = rng.permutation(1000)[:100]
        effects = differences(values, labels, top) + leanings(values, labels, top, rng.integers(0, 10, 100))
        assert len(effects) == 2 * len(ATTRIBUTES)
        assert {effect.verdict for effect in effects} == {"not significant"}


def test_digits_lean_towards_the_class_that_they_are_moved_to() -> None:
    rng = np.random.default_rng(6)
    labels, top = np.repeat([1, 7], 500), np.arange(50)
    values = np.where(labels == 1, 0.0, 10.0) + rng.normal(size=1000)
    values[top] += 2
    (towards,) = leanings({"thickness": values}, labels, top, np.full(50, 7))
    assert towards.verdict == "significant"
    assert towards.size > 1
    values[top] -= 4
    (away,) = leanings({"thickness": values}, labels, top, np.full(50, 7))
    assert away.verdict == "not significant"


def test_few_digits_are_not_tested() -> None:
    labels, values = np.zeros(100, np.int64), {"thickness": np.arange(100.0)}
    assert differences(values, labels, np.arange(9)) == ()
    assert differences(values, labels, np.arange(95)) == ()
    assert leanings(values, labels, np.arange(9), np.zeros(9, np.int64)) == ()
