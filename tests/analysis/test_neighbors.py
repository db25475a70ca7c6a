"""Neighbors are those of brute force in double precision, duplicates among them."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from experiments.analysis.neighbors import Neighbors, nearest, nearest_to


@st.composite
def crowds(draw: st.DrawFn) -> NDArray[np.float32]:
    """Draw points on a coarse grid, so that many are equal and many distances tie."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, dimensions = draw(st.integers(2, 40)), draw(st.sampled_from([1, 2, 3, 4, 20]))
    points = generator.integers(0, draw(st.integers(1, 4)), (n, dimensions)) * draw(st.sampled_from([0.1, 1.0, 300.0]))
    return (points + draw(st.sampled_from([0.0, 7.3]))).astype(np.float32)


def assert_measured(found: Neighbors, apart: NDArray[np.float64]) -> None:
    """The distances are those of the neighbors named, no neighbor is named twice, and the nearest comes first."""
    np.testing.assert_allclose(found.distances, np.take_along_axis(apart, found.indices, 1), rtol=1e-5, atol=1e-6)
    assert all(len(set(row)) == found.k for row in found.indices.tolist())
    assert (np.diff(found.distances, axis=1) >= 0).all()


@settings(max_examples=60, deadline=None)
@given(crowds(), st.data())
def test_neighbours_are_those_of_brute_force(points: NDArray[np.float32], data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(points) - 1))
    found = nearest(points, k)
    apart = cdist(points.astype(np.float64), points.astype(np.float64))
    assert_measured(found, apart)
    assert not (found.indices == np.arange(len(points))[:, None]).any()
    np.fill_diagonal(apart, np.inf)
    np.testing.assert_allclose(found.distances, np.sort(apart, axis=1)[:, :k], rtol=1e-5, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(crowds(), st.data())
def test_neighbours_among_others_are_those_of_brute_force(points: NDArray[np.float32], data: st.DataObject) -> None:
    split = data.draw(st.integers(1, len(points) - 1))
    queries, others = points[:split], points[split:]
    k = data.draw(st.integers(1, len(others)))
    found = nearest_to(queries, others, k)
    apart = cdist(queries.astype(np.float64), others.astype(np.float64))
    assert_measured(found, apart)
    np.testing.assert_allclose(found.distances, np.sort(apart, axis=1)[:, :k], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dimensions", [2, 3, 4, 64])
def test_neighbours_are_a_trees(dimensions: int) -> None:
    points = np.random.default_rng(0).normal(size=(500, dimensions)).astype(np.float32)
    found = nearest(points, 7)
    distances, indices = cKDTree(points).query(points, 8)
    np.testing.assert_array_equal(found.indices, indices[:, 1:])
    np.testing.assert_allclose(found.distances, distances[:, 1:], rtol=1e-6)


@pytest.mark.parametrize("dimensions", [2, 3, 64, 128])
def test_duplicates_lie_at_no_distance_at_all(dimensions: int) -> None:
    once = (np.random.default_rng(0).normal(size=(60, dimensions)) + 10).astype(np.float32)
    found = nearest(np.concatenate([once, once]), 2)
    np.testing.assert_array_equal(found.indices[:, 0], np.roll(np.arange(120), 60))
    assert (found.distances[:, 0] == 0).all()
    assert (found.distances[:, 1] > 0.01).all()


def test_what_all_but_coincides_is_still_distinguished() -> None:
    points = np.full((6, 50), 100, np.float32)
    points[:, 0] += np.array([0, 1, 3, 7, 15, 31], np.float32) * np.float32(2**-12)
    found = nearest(points, 5)
    np.testing.assert_array_equal(found.indices[0], [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(found.distances[5] * 2**12, [16, 24, 28, 30, 31])


def test_the_first_neighbours_are_a_search_for_fewer() -> None:
    points = np.random.default_rng(0).normal(size=(30, 5)).astype(np.float32)
    many, few = nearest(points, 9), nearest(points, 4)
    assert many.first(4).k == 4
    np.testing.assert_array_equal(many.first(4).indices, few.indices)
    np.testing.assert_array_equal(many.first(4).distances, few.distances)


@pytest.mark.parametrize("change", [np.asfortranarray, np.float64, lambda points: np.repeat(points, 2, axis=1)[:, ::2]])
def test_any_layout_and_float_type_is_taken(change: Any) -> None:
    points = np.random.default_rng(0).normal(size=(30, 5)).astype(np.float32)
    plain, other = nearest(points, 3), nearest(change(points), 3)
    np.testing.assert_array_equal(other.indices, plain.indices)
    np.testing.assert_allclose(other.distances, plain.distances, rtol=1e-6)
    assert other.indices.dtype == np.int32
    assert other.distances.dtype == np.float32


@pytest.mark.parametrize("k", [0, 3, 4])
def test_a_k_that_the_points_do_not_allow_is_refused(k: int) -> None:
    with pytest.raises(ValueError, match=f"number of points 3. Received: {k}"):
        nearest(np.zeros((3, 2), np.float32), k)


@pytest.mark.parametrize("k", [0, 4])
def test_a_k_that_the_others_do_not_allow_is_refused(k: int) -> None:
    with pytest.raises(ValueError, match=f"number of points 3. Received: {k}"):
        nearest_to(np.zeros((9, 2), np.float32), np.zeros((3, 2), np.float32), k)
