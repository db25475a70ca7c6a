"""Neighbors are those of brute force in double precision; so is what is made of distances."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.stats import median_abs_deviation

from experiments.analysis.centroids import centroids
from experiments.analysis.class_distances import class_distances
from experiments.analysis.duplicates import near_duplicates
from experiments.analysis.neighbors import Neighbors, nearest, nearest_to
from experiments.analysis.outliers import outlier_scores

SEEDS = st.integers(0, 2**32)


def cloud(n: int, dimensions: int = 5, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(n, dimensions)).astype(np.float32)


@st.composite
def crowds(draw: st.DrawFn) -> NDArray[np.float32]:
    """Draw points on a coarse grid, so that many are equal and many distances tie."""
    generator = np.random.default_rng(draw(SEEDS))
    n, dimensions = draw(st.integers(2, 40)), draw(st.sampled_from([1, 2, 3, 4, 20]))
    points = generator.integers(0, draw(st.integers(1, 4)), (n, dimensions)) * draw(st.sampled_from([0.1, 1.0, 300.0]))
    return (points + draw(st.sampled_from([0.0, 7.3]))).astype(np.float32)


def assert_nearest(found: Neighbors, apart: NDArray[np.float64]) -> None:
    """The neighbors named are the nearest by these distances, none is named twice, and the nearest comes first."""
    np.testing.assert_allclose(found.distances, np.take_along_axis(apart, found.indices, 1), rtol=1e-5, atol=1e-6)
    assert all(len(set(row)) == found.k for row in found.indices.tolist())
    np.testing.assert_allclose(found.distances, np.sort(apart, axis=1)[:, : found.k], rtol=1e-5, atol=1e-6)
    assert (np.diff(found.distances, axis=1) >= 0).all()


@settings(max_examples=60)
@given(crowds(), st.data())
def test_neighbours_are_those_of_brute_force(points: NDArray[np.float32], data: st.DataObject) -> None:
    k, split = data.draw(st.integers(1, len(points) - 1)), data.draw(st.integers(1, len(points) - 1))
    apart = cdist(points.astype(np.float64), points.astype(np.float64))
    queries, others = points[:split], points[split:]
    assert_nearest(nearest_to(queries, others, min(k, len(others))), apart[:split, split:])
    np.fill_diagonal(apart, np.inf)
    assert_nearest(nearest(points, k), apart)


@pytest.mark.parametrize("dimensions", [2, 3, 64, 128])
def test_duplicates_lie_at_no_distance_at_all(dimensions: int) -> None:
    once = cloud(60, dimensions) + np.float32(10)
    found = nearest(np.concatenate([once, once]), 2)
    np.testing.assert_array_equal(found.indices[:, 0], np.roll(np.arange(120), 60))
    assert (found.distances[:, 0] == 0).all()
    assert (found.distances[:, 1] > 0.01).all()
    # Copies in both classes cancel.
    copies = np.concatenate([once, once]), np.repeat([0, 1], 60)
    assert class_distances(once, np.zeros(60, np.int64), *copies).ratio.tolist() == [1] * 60


def test_what_all_but_coincides_is_still_distinguished() -> None:
    points = np.full((6, 50), 100, np.float32)
    points[:, 0] += np.array([0, 1, 3, 7, 15, 31], np.float32) * np.float32(2**-12)
    found = nearest(points, 5)
    np.testing.assert_array_equal(found.indices[0], [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(found.distances[5] * 2**12, [16, 24, 28, 30, 31])


@pytest.mark.parametrize("change", [np.asfortranarray, np.float64, lambda points: np.repeat(points, 2, axis=0)[::2]])
def test_any_layout_and_float_type_is_taken(change: Any) -> None:
    points, labels = cloud(30), np.arange(30) % 4
    plain, other = nearest(points, 9), nearest(change(points), 4)
    np.testing.assert_array_equal(other.indices, plain.first(4).indices)
    np.testing.assert_allclose(other.distances, plain.first(4).distances, rtol=1e-6)
    assert other.k == 4
    assert other.indices.dtype == np.int32
    assert other.distances.dtype == np.float32
    near, same = (class_distances(p[:10], labels[:10], p[10:], labels[10:]) for p in (points, change(points)))
    np.testing.assert_array_equal(same.own, near.own)
    np.testing.assert_allclose(same.ratio, near.ratio, rtol=1e-5)


@pytest.mark.parametrize("k", [0, 3, 4])
def test_a_k_that_the_points_do_not_allow_is_refused(k: int) -> None:
    points = np.zeros((3, 2), np.float32)
    with pytest.raises(ValueError, match=f"points 3.* {k}$"):
        nearest(points, k)
    if k != 3:
        with pytest.raises(ValueError, match=f"points 3.* {k}$"):
            nearest_to(np.zeros((9, 2), np.float32), points, k)


@settings(max_examples=30)
@given(SEEDS, st.integers(1, 30), st.integers(1, 30), st.integers(1, 5), st.integers(1, 12))
def test_nearest_of_each_class_are_those_of_brute_force(
    seed: int, n: int, m: int, classes: int, dimensions: int
) -> None:
    generator = np.random.default_rng(seed)
    points, others = (generator.normal(size=(size, dimensions)).astype(np.float32) for size in (n, m))
    labels, other_labels = generator.integers(0, classes, n), generator.integers(0, classes, m)
    found = class_distances(points, labels, others, other_labels)
    apart = cdist(points.astype(np.float64), others.astype(np.float64))
    for i in range(n):
        for same, who, distances in (
            (True, found.own[i], found.own_distances[i]),
            (False, found.other[i], found.other_distances[i]),
        ):
            allowed = np.flatnonzero((other_labels == labels[i]) == same)
            expected = allowed[np.argsort(apart[i, allowed])][:3]
            missing = 3 - len(expected)
            assert who.tolist() == [*expected.tolist(), *[-1] * missing]
            np.testing.assert_allclose(distances, [*apart[i, expected], *[np.inf] * missing], rtol=1e-5)


@pytest.mark.parametrize(
    ("others", "other_labels", "ratio"),
    [
        ([1.0, -4.0], [0, 1], 0.25),
        ([4.0, 1.0], [0, 1], 4.0),
        ([1.0, 2.0], [0, 0], 0.0),  # no digit of another class
        ([1.0, 2.0], [1, 1], np.inf),  # none of its own
        ([0.0, 3.0], [0, 1], 0.0),
        ([0.0, 0.0], [0, 1], 1.0),
        ([1.0, 0.0], [0, 1], 1e12),  # a copy of another class is as confusing as can be
    ],
)
def test_ratio_is_of_the_nearest_own_to_the_nearest_other(
    others: list[float], other_labels: list[int], ratio: float
) -> None:
    places = np.array(others, np.float32)[:, None]
    found = class_distances(np.zeros((1, 1), np.float32), np.array([0]), places, np.array(other_labels))
    assert found.ratio.dtype == np.float32
    assert found.ratio.tolist() == pytest.approx([ratio], rel=1e-6, abs=1e-6)


def test_what_lies_far_out_has_the_largest_outlier_score() -> None:
    points = cloud(100)
    points[37] += 50
    neighbors = nearest(points, 15)
    scores = outlier_scores(neighbors)
    assert scores.argmax() == 37
    assert scores[37] > 4 > np.delete(scores, 37).max()
    # Scores are robust z-scores of the log distance.
    logs = np.log(neighbors.distances[:, 9].astype(np.float64))
    expected = (logs - np.median(logs)) / median_abs_deviation(logs, scale="normal")
    np.testing.assert_allclose(scores, expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("n", [2, 5])
def test_of_a_few_points_the_farthest_neighbour_counts_and_equal_points_are_no_outliers(n: int) -> None:
    scores = outlier_scores(nearest(cloud(n), n - 1))
    assert scores.shape == (n,)
    assert np.isfinite(scores).all()
    assert outlier_scores(nearest(np.ones((20, n), np.float32), 10)).tolist() == [0] * 20


def test_test_images_that_are_training_images_are_duplicates() -> None:
    images = np.random.default_rng(0).integers(0, 256, (38, 28, 28), dtype=np.uint8)
    train, test = images[:30], images[30:]
    test[[5, 2]] = train[[17, 4]]
    found = near_duplicates(train, np.arange(30) % 10, test, np.array([0, 1, 2, 3, 4, 7, 6, 7]))
    assert sorted(zip(found.test, found.train, found.labels_differ, strict=True)) == [(2, 4, True), (5, 17, False)]
    assert found.distances.tolist() == [0, 0]
    found = near_duplicates(train, np.zeros(30, np.int64), train[5:15], np.ones(10, np.int64))
    assert sorted(zip(found.test.tolist(), found.train.tolist(), strict=True)) == [(i, i + 5) for i in range(10)]
    assert (found.threshold, found.median) == (0, 0)
    assert found.labels_differ.all()


def test_pairs_below_a_quarter_of_the_median_come_most_alike_first() -> None:
    train = np.zeros((1, 28, 28), np.uint8)
    # The distance of an even picture from a black one is its brightness.
    brightness = np.array([100, 24, 200, 3, 120, 26, 100])
    test = np.broadcast_to(brightness[:, None, None].astype(np.uint8), (7, 28, 28))
    found = near_duplicates(train, np.array([5]), test, np.array([5, 4, 5, 5, 5, 5, 5]))
    assert (found.median, found.threshold) == pytest.approx((100 / 255, 25 / 255))
    assert found.test.tolist() == [3, 1]
    np.testing.assert_allclose(found.distances, [3 / 255, 24 / 255], rtol=1e-5)
    assert found.labels_differ.tolist() == [False, True]


@settings(max_examples=40)
@given(SEEDS, st.integers(1, 40), st.integers(1, 10))
def test_class_means_are_those_of_loops(seed: int, n: int, classes: int) -> None:
    points, labels = cloud(n, seed=seed) + np.float32(100), np.random.default_rng(seed).integers(0, classes, n)
    found = centroids(points, labels)
    members = {digit: points[labels == digit].astype(np.float64) for digit in sorted(set(labels.tolist()))}
    assert found.digits.tolist() == list(members)
    means = np.stack([rows.mean(axis=0) for rows in members.values()])
    apart = cdist(means, means)
    np.testing.assert_allclose(found.distances, apart, atol=1e-9)
    spreads = [np.sqrt(rows.var(axis=0).sum()) for rows in members.values()]
    np.testing.assert_allclose(found.spreads, spreads, atol=1e-6)
    pairs = {(a, b): apart[i, j] for i, a in enumerate(members) for j, b in enumerate(members) if a < b}
    assert {(a, b): distance for a, b, distance in found.closest} == pytest.approx(pairs, abs=1e-9)
    assert [distance for *_, distance in found.closest] == sorted(distance for *_, distance in found.closest)
