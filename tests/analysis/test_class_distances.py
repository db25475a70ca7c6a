"""Nearest digits by class are those of looking at all."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from experiments.analysis.class_distances import class_distances


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 30), st.integers(1, 30), st.integers(1, 5), st.integers(1, 12))
def test_nearest_of_each_kind_are_those_of_brute_force(
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


def line(*places: float) -> NDArray[np.float32]:
    return np.array(places, np.float32)[:, None]


@pytest.mark.parametrize(
    ("others", "other_labels", "ratio"),
    [
        ([1.0, -4.0], [0, 1], 0.25),
        ([4.0, 1.0], [0, 1], 4.0),
        ([1.0, 2.0], [0, 0], 0.0),  # no digit of another class
        ([1.0, 2.0], [1, 1], np.inf),  # none of its own
        ([0.0, 3.0], [0, 1], 0.0),
        ([0.0, 0.0], [0, 1], 1.0),
    ],
)
def test_ratio_is_of_the_nearest_own_to_the_nearest_other(
    others: list[float], other_labels: list[int], ratio: float
) -> None:
    found = class_distances(line(0), np.array([0]), line(*others), np.array(other_labels))
    assert found.ratio.dtype == np.float32
    assert found.ratio.tolist() == pytest.approx([ratio], abs=1e-6)


def test_a_copy_of_another_class_is_as_confusing_as_can_be() -> None:
    found = class_distances(line(0, 5), np.array([0, 0]), line(0, 1, 9), np.array([1, 0, 1]))
    assert found.ratio[0] > 1e9
    assert np.isfinite(found.ratio).all()


@pytest.mark.parametrize("dimensions", [2, 64])
def test_copies_in_both_classes_cancel(dimensions: int) -> None:
    points = (np.random.default_rng(0).normal(size=(20, dimensions)) + 10).astype(np.float32)
    labels = np.zeros(20, np.int64)
    found = class_distances(points, labels, np.concatenate([points, points]), np.repeat([0, 1], 20))
    assert found.ratio.tolist() == [1] * 20


@pytest.mark.parametrize("change", [np.asfortranarray, np.float64, lambda points: np.repeat(points, 2, axis=0)[::2]])
def test_any_layout_and_float_type_is_taken(change: Any) -> None:
    points = np.random.default_rng(0).normal(size=(30, 5)).astype(np.float32)
    labels = np.arange(30) % 4
    plain = class_distances(points[:10], labels[:10], points[10:], labels[10:])
    other = class_distances(change(points)[:10], labels[:10], change(points)[10:], labels[10:])
    np.testing.assert_array_equal(other.own, plain.own)
    np.testing.assert_allclose(other.ratio, plain.ratio, rtol=1e-5)
