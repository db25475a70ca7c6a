"""Joint probabilities are scikit-learn's; attraction is the sum over pairs that it stands for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array, csr_matrix
from sklearn.manifold._t_sne import _joint_probabilities_nn

from experiments.analysis import affinities as module
from experiments.analysis.affinities import Affinities, affinities, conditional
from experiments.analysis.neighbors import nearest


def points(n: int, dimensions: int = 8, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(n, dimensions)).astype(np.float32)


def dense(ties: Affinities) -> NDArray[np.float64]:
    matrix = csr_array((ties.values, ties.columns, ties.starts), (len(ties), len(ties)))
    return np.asarray(matrix.toarray(), np.float64)


@pytest.mark.parametrize(("n", "k", "perplexity"), [(200, 90, 30.0), (200, 30, 10.0), (50, 49, 16.0), (40, 6, 2.0)])
def test_probabilities_are_scikit_learns(n: int, k: int, perplexity: float) -> None:
    neighbors = nearest(points(n), k)
    squared = neighbors.distances.astype(np.float64) ** 2
    columns = neighbors.indices.flatten()  # a copy, for scikit-learn sorts it
    graph = csr_matrix((squared.ravel(), columns, np.arange(0, n * k + 1, k)), (n, n))
    theirs = _joint_probabilities_nn(graph, perplexity, 0).toarray()
    np.testing.assert_allclose(dense(affinities(neighbors, perplexity)), theirs, rtol=1e-3, atol=1e-8)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(5, 60), st.floats(0, 1), st.sampled_from([1e-6, 1.0, 1e4]))
def test_each_point_has_the_perplexity_asked_for(seed: int, n: int, share: float, scale: float) -> None:
    distances = nearest(points(n, seed=seed) * np.float32(scale), n - 1).distances
    perplexity = 1.05 + share * (0.95 * (n - 1) - 1.05)
    rows = conditional(distances, perplexity).astype(np.float64)
    np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-5)
    entropy = -(rows * np.log(np.where(rows > 0, rows, 1))).sum(axis=1)
    np.testing.assert_allclose(np.exp(entropy), perplexity, rtol=1e-3)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 40), st.integers(1, 3), st.floats(0, 1))
def test_ties_are_symmetric_and_sum_to_one(seed: int, n: int, grid: int, share: float) -> None:
    crowd = np.random.default_rng(seed).integers(0, grid, (n, 3)).astype(np.float32)
    k = max(1, round(share * (n - 1)))
    ties = affinities(nearest(crowd, k), max(1.0, k / 3))
    matrix = dense(ties)
    np.testing.assert_allclose(matrix.sum(), 1, rtol=1e-5)
    np.testing.assert_array_equal(matrix, matrix.T)
    assert (matrix.diagonal() == 0).all()
    assert (np.diff(ties.starts) >= 1).all()
    assert ties.values.dtype == np.float32
    assert ties.columns.dtype == np.int32
    assert ties.starts.dtype == np.int64


def test_the_neighbours_stay_as_they_are() -> None:
    neighbors = nearest(points(30), 7)
    indices, distances = neighbors.indices.copy(), neighbors.distances.copy()
    affinities(neighbors, 2.0)
    np.testing.assert_array_equal(neighbors.indices, indices)
    np.testing.assert_array_equal(neighbors.distances, distances)


def test_more_duplicates_than_the_perplexity_share_it_evenly() -> None:
    crowd = points(30)
    crowd[:20] = crowd[0]
    rows = conditional(nearest(crowd, 25).distances, 5.0)
    np.testing.assert_allclose(rows[:20, :19], 1 / 19, rtol=1e-5)
    np.testing.assert_allclose(rows[:20, 19:], 0, atol=1e-7)


def by_pairs(ties: Affinities, positions: NDArray[np.float32], freedom: float) -> NDArray[np.float64]:
    apart = positions.astype(np.float64)[:, None] - positions[None]
    pull = dense(ties) / (1 + (apart**2).sum(axis=-1) / freedom)
    return np.asarray((pull[..., None] * apart).sum(axis=1))


@pytest.mark.parametrize(("dimensions", "freedom"), [(2, 1.0), (3, 2.0)])
@pytest.mark.parametrize("ties_a_block", [200_000, 300])
def test_attraction_is_the_sum_over_pairs(
    dimensions: int, freedom: float, ties_a_block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAIRS_PER_BLOCK", ties_a_block)
    ties = affinities(nearest(points(150), 20), 6.0)
    positions = points(150, dimensions, seed=1) * 5
    expected = by_pairs(ties, positions, freedom)
    found = ties.attraction(positions, freedom)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())
    np.testing.assert_allclose(found.sum(axis=0), 0, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("perplexity", [0.9, 6.0])
def test_a_perplexity_that_the_neighbours_do_not_allow_is_refused(perplexity: float) -> None:
    with pytest.raises(ValueError, match=f"from 1 to 5, the number of neighbors. Received: {perplexity}"):
        affinities(nearest(points(20), 5), perplexity)
