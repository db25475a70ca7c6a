"""Clusters are compared with classes as scikit-learn does it; the best matching is that of trying them all."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics as reference
from sklearn.metrics.cluster import contingency_matrix

from experiments.analysis.cluster_metrics import ClusterMetrics, cluster_metrics


@st.composite
def groupings(draw: st.DrawFn) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Draw labels, and clusters that follow them more or less; some digits and clusters may not occur."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, digits, k = draw(st.integers(1, 80)), draw(st.integers(1, 10)), draw(st.integers(1, 12))
    labels = generator.integers(0, digits, n)
    chance = generator.random(n) < draw(st.floats(0, 1))
    return labels, np.where(chance, generator.integers(0, k, n), labels % k), k


@settings(deadline=None)
@given(groupings())
def test_every_number_is_scikit_learns(drawn: tuple[NDArray[np.int64], NDArray[np.int64], int]) -> None:
    labels, clusters, k = drawn
    ours = cluster_metrics(labels, clusters, k)
    assert ours.ari == pytest.approx(reference.adjusted_rand_score(labels, clusters))
    assert ours.ami == pytest.approx(reference.adjusted_mutual_info_score(labels, clusters))
    assert ours.homogeneity == pytest.approx(reference.homogeneity_score(labels, clusters))
    assert ours.completeness == pytest.approx(reference.completeness_score(labels, clusters))
    assert ours.v_measure == pytest.approx(reference.v_measure_score(labels, clusters))
    found = ours.contingency[np.ix_(np.unique(labels), np.unique(clusters))]
    np.testing.assert_array_equal(found, contingency_matrix(labels, clusters))
    assert ours.contingency.shape == (10, k)
    assert ours.contingency.sum() == len(labels)
    named = np.array([np.bincount(labels[clusters == cluster], minlength=10).argmax() for cluster in range(k)])
    np.testing.assert_array_equal(ours.majority, named)
    assert ours.purity == pytest.approx(np.mean(named[clusters] == labels))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_the_matching_is_the_best_of_all(seed: int, k: int) -> None:
    generator = np.random.default_rng(seed)
    labels, clusters = generator.integers(0, 10, 40), generator.integers(0, k, 40)
    table = cluster_metrics(labels, clusters, k).contingency
    best = max(table[digits, range(k)].sum() for digits in permutations(range(10), k))
    assert cluster_metrics(labels, clusters, k).matched_accuracy == pytest.approx(best / 40)


@settings(max_examples=50, deadline=None)
@given(st.permutations(range(10)), st.integers(0, 2**32))
def test_clusters_that_are_the_classes_match_under_any_numbers(order: list[int], seed: int) -> None:
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(10), 3))
    ours = cluster_metrics(labels, np.array(order)[labels], 10)
    scores = ours.scalars()
    assert ours.k == 10
    assert scores == pytest.approx(dict.fromkeys(scores, 1.0))
    assert len(scores) == 7
    assert (ours.shared, ours.split) == ((), ())


def of(contingency: list[list[int]]) -> ClusterMetrics:
    """Return the agreement of as many points as the table says, rows being the digits from 0."""
    counts = np.array(contingency)
    labels = np.repeat(np.arange(len(counts)), counts.sum(axis=1))
    clusters = np.concatenate([np.repeat(np.arange(len(row)), row) for row in counts])
    return cluster_metrics(labels, clusters, counts.shape[1])


def test_clusters_with_several_digits_are_shared_and_digits_in_several_are_split() -> None:
    ours = of([[90, 10, 0], [5, 0, 60], [5, 0, 40]])
    assert ours.shared == ((2, (1, 2)),)
    assert ours.split == ((0, (0, 1)), (2, (2, 0)))
    assert ours.majority.tolist() == [0, 0, 1]


def test_of_equal_proportions_the_smallest_number_comes_first() -> None:
    ours = of([[0, 10], [4, 10]])
    assert ours.shared == ((1, (0, 1)),)
    assert ours.split == ((1, (1, 0)),)


def test_a_cluster_without_digits_is_no_trouble() -> None:
    ours = cluster_metrics(np.array([3, 3, 4]), np.array([0, 0, 2]), 4)
    assert ours.contingency[:, [1, 3]].sum() == 0
    assert (ours.purity, ours.matched_accuracy, ours.shared) == (1, 1, ())


def test_one_class_in_two_clusters_matches_one_of_them() -> None:
    ours = cluster_metrics(np.full(10, 7), np.array([0] * 6 + [1] * 4), 2)
    assert (ours.purity, ours.matched_accuracy, ours.split) == (1, 0.6, ((7, (0, 1)),))
