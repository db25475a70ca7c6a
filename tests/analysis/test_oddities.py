"""Outliers, duplicates and class means are those of their definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import median_abs_deviation

from experiments.analysis import centroids, near_duplicates, nearest, outlier_scores


def images(n: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (n, 28, 28), dtype=np.uint8)


def test_a_copy_is_found_with_its_twin() -> None:
    train, test = images(30), images(8, seed=1)
    test[5] = train[17]
    found = near_duplicates(train, np.arange(30) % 10, test, np.array([0, 1, 2, 3, 4, 7, 6, 7]))
    assert (found.test.tolist(), found.train.tolist()) == ([5], [17])
    assert found.distances.tolist() == [0]
    assert found.labels_differ.tolist() == [False]


def test_pairs_below_a_quarter_of_the_median_come_most_alike_first() -> None:
    train = np.zeros((1, 28, 28), np.uint8)
    # The distance of an even picture from a black one is its brightness.
    brightness = np.array([100, 24, 200, 3, 120, 26, 100])
    test = np.broadcast_to(brightness[:, None, None].astype(np.uint8), (7, 28, 28))
    found = near_duplicates(train, np.array([5]), test, np.array([5, 4, 5, 5, 5, 5, 5]))
    assert found.median == pytest.approx(100 / 255)
    assert found.threshold == pytest.approx(25 / 255)
    assert found.test.tolist() == [3, 1]
    np.testing.assert_allclose(found.distances, [3 / 255, 24 / 255], rtol=1e-5)
    assert found.labels_differ.tolist() == [False, True]


def test_twins_under_different_labels_are_told() -> None:
    train, test = images(5), images(20, seed=1)
    test[[2, 9]] = train[[4, 0]]
    found = near_duplicates(train, np.array([1, 2, 3, 4, 5]), test, np.full(20, 1))
    assert dict(zip(found.test.tolist(), found.labels_differ.tolist(), strict=True)) == {2: True, 9: False}


def test_a_test_split_that_is_part_of_training_is_all_duplicates() -> None:
    train = images(20)
    found = near_duplicates(train, np.zeros(20, np.int64), train[5:15], np.ones(10, np.int64))
    assert sorted(zip(found.test.tolist(), found.train.tolist(), strict=True)) == [(i, i + 5) for i in range(10)]
    assert (found.threshold, found.median) == (0, 0)
    assert found.labels_differ.all()


def cloud(n: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(n, 5)).astype(np.float32)


def test_what_lies_far_out_has_the_largest_score() -> None:
    points = cloud(100)
    points[37] += 50
    scores = outlier_scores(nearest(points, 20))
    assert scores.argmax() == 37
    assert scores[37] > 4 > np.delete(scores, 37).max()


def test_scores_are_robust_z_scores_of_the_log_distance() -> None:
    neighbours = nearest(cloud(80), 15)
    logs = np.log(neighbours.distances[:, 9].astype(np.float64))
    expected = (logs - np.median(logs)) / median_abs_deviation(logs, scale="normal")
    np.testing.assert_allclose(outlier_scores(neighbours), expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("scale", [0.01, 100])
def test_scores_do_not_depend_on_the_unit(scale: float) -> None:
    points = cloud(80)
    plain = outlier_scores(nearest(points, 10))
    np.testing.assert_allclose(outlier_scores(nearest(points * np.float32(scale), 10)), plain, atol=1e-3)


@pytest.mark.parametrize("n", [2, 5])
def test_of_a_few_points_the_farthest_neighbour_counts(n: int) -> None:
    scores = outlier_scores(nearest(cloud(n), n - 1))
    assert scores.shape == (n,)
    assert np.isfinite(scores).all()


def test_equal_points_are_no_outliers() -> None:
    assert outlier_scores(nearest(np.ones((20, 5), np.float32), 10)).tolist() == [0] * 20


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 10))
def test_centroids_are_those_of_loops(seed: int, n: int, classes: int) -> None:
    points, labels = cloud(n, seed) + np.float32(100), np.random.default_rng(seed).integers(0, classes, n)
    found = centroids(points, labels)
    members = {digit: points[labels == digit].astype(np.float64) for digit in sorted(set(labels.tolist()))}
    assert found.digits.tolist() == list(members)
    means = {digit: rows.mean(axis=0) for digit, rows in members.items()}
    expected = [[np.linalg.norm(means[a] - means[b]) for b in means] for a in means]
    np.testing.assert_allclose(found.distances, expected, atol=1e-9)
    spreads = [np.sqrt(np.mean([np.sum((row - means[digit]) ** 2) for row in rows])) for digit, rows in members.items()]
    np.testing.assert_allclose(found.spreads, spreads, atol=1e-6)
    pairs = {(a, b): np.linalg.norm(means[a] - means[b]) for a in means for b in means if a < b}
    assert {(a, b): distance for a, b, distance in found.closest} == pytest.approx(pairs)
    assert [distance for *_, distance in found.closest] == sorted(distance for *_, distance in found.closest)
