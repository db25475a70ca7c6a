"""Attraction and repulsion are sums over all pairs, steps go down the divergence, and maps keep what is apart apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import approx_fprime
from scipy.sparse import csr_array, csr_matrix
from sklearn.manifold import trustworthiness
from sklearn.manifold._t_sne import _joint_probabilities_nn
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from experiments.analysis import affinities as affinities_module
from experiments.analysis.affinities import Affinities, affinities, conditional
from experiments.analysis.embedding import embed, embedding_quality, knn_accuracy, neighbors_needed, perplexity_for
from experiments.analysis.neighbors import nearest
from experiments.analysis.repulsion import MOST_NODES, potential, repulsion
from experiments.analysis.tsne import TsneSchedule, principal_start, tsne

CASES = [(2, 1.0), (3, 2.0), (2, 2.0), (3, 1.0)]  # dimensions and freedom, those that t-SNE uses first
SEEDS = st.integers(0, 2**32)
SHORT = TsneSchedule(exaggerated=20, steps=20)

Sums = tuple[NDArray[np.float64], NDArray[np.float64]]


def cloud(n: int, dimensions: int, spread: float = 1.0, seed: int = 0) -> NDArray[np.float32]:
    return (np.random.default_rng(seed).normal(size=(n, dimensions)) * spread).astype(np.float32)


def ties_of(points: NDArray[np.float32]) -> Affinities:
    k = min(len(points) - 1, 30)
    return affinities(nearest(points, k), max(1.0, k / 3))


def dense(ties: Affinities) -> NDArray[np.float64]:
    matrix = csr_array((ties.values, ties.columns, ties.starts), (len(ties), len(ties)))
    return np.asarray(matrix.toarray(), np.float64)


def by_pairs(positions: NDArray[np.float32], freedom: float, at: NDArray[np.float32]) -> Sums:
    """Return the sum of w and of its gradient over all points, each point itself included."""
    apart = at.astype(np.float64)[:, None] - positions[None]
    base = 1 + (apart**2).sum(axis=-1) / freedom
    slopes = -(freedom + 1) / freedom * base ** (-(freedom + 3) / 2)
    return (base ** (-(freedom + 1) / 2)).sum(axis=1), (slopes[..., None] * apart).sum(axis=1)


def relative(found: NDArray[np.floating], expected: NDArray[np.floating]) -> float:
    """Return the root mean square of the error over that of what is expected."""
    return float(np.sqrt(((found - expected) ** 2).sum() / (expected**2).sum()))


@pytest.mark.parametrize(("n", "k", "perplexity"), [(200, 90, 30.0), (200, 30, 10.0), (50, 49, 16.0), (40, 6, 2.0)])
def test_joint_probabilities_are_scikit_learns(n: int, k: int, perplexity: float) -> None:
    neighbors = nearest(cloud(n, 8), k)
    columns, squared = neighbors.indices.flatten(), neighbors.distances.astype(np.float64).ravel() ** 2
    found = dense(affinities(neighbors, perplexity))
    np.testing.assert_array_equal(neighbors.indices.ravel(), columns)
    graph = csr_matrix((squared, columns, np.arange(0, n * k + 1, k)), (n, n))
    np.testing.assert_allclose(found, _joint_probabilities_nn(graph, perplexity, 0).toarray(), rtol=1e-3, atol=1e-8)


@settings(max_examples=40)
@given(SEEDS, st.integers(5, 60), st.floats(0, 1), st.sampled_from([1e-6, 1.0, 1e4]))
def test_each_point_has_the_perplexity_asked_for(seed: int, n: int, share: float, scale: float) -> None:
    distances = nearest(cloud(n, 8, seed=seed) * np.float32(scale), n - 1).distances
    perplexity = 1.05 + share * (0.95 * (n - 1) - 1.05)
    rows = conditional(distances, perplexity).astype(np.float64)
    np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-5)
    entropy = -(rows * np.log(np.where(rows > 0, rows, 1))).sum(axis=1)
    np.testing.assert_allclose(np.exp(entropy), perplexity, rtol=1e-3)
    # More duplicates than the perplexity share it evenly.
    alike = conditional(np.repeat([[0.0, scale]], [n, 3], axis=1).astype(np.float32), 1.05)
    np.testing.assert_allclose(alike, np.repeat([[1 / n, 0]], [n, 3], axis=1), rtol=1e-5, atol=1e-7)


@settings(max_examples=40)
@given(SEEDS, st.integers(2, 40), st.integers(1, 3), st.floats(0, 1))
def test_ties_are_symmetric_and_sum_to_one(seed: int, n: int, grid: int, share: float) -> None:
    crowd = np.random.default_rng(seed).integers(0, grid, (n, 3)).astype(np.float32)
    k = max(1, round(share * (n - 1)))
    ties = affinities(nearest(crowd, k), max(1.0, k / 3))
    matrix = dense(ties)
    np.testing.assert_allclose(matrix.sum(), 1, rtol=1e-5)
    np.testing.assert_array_equal(matrix, matrix.T)
    assert (matrix.diagonal() == 0).all()
    assert (np.diff(ties.starts) >= 1).all()
    for array, dtype in ((ties.values, np.float32), (ties.columns, np.int32), (ties.starts, np.int64)):
        assert array.dtype == dtype


@pytest.mark.parametrize("perplexity", [0.9, 6.0])
def test_a_perplexity_that_the_neighbours_do_not_allow_is_refused(perplexity: float) -> None:
    with pytest.raises(ValueError, match=f"1 to 5, .*{perplexity}"):
        affinities(nearest(cloud(20, 8), 5), perplexity)


@pytest.mark.parametrize(("dimensions", "freedom"), [(2, 1.0), (3, 2.0)])
@pytest.mark.parametrize("ties_a_block", [200_000, 300])
def test_attraction_is_the_sum_over_pairs(
    dimensions: int, freedom: float, ties_a_block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(affinities_module, "PAIRS_PER_BLOCK", ties_a_block)
    ties = affinities(nearest(cloud(150, 8), 20), 6.0)
    positions = cloud(150, dimensions, spread=5, seed=1)
    apart = positions.astype(np.float64)[:, None] - positions[None]
    pull = dense(ties) / (1 + (apart**2).sum(axis=-1) / freedom)
    expected = (pull[..., None] * apart).sum(axis=1)
    found = ties.attraction(positions, freedom)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize(("dimensions", "freedom"), CASES)
class TestRepulsion:
    @pytest.mark.parametrize(
        ("n", "spread", "tolerance"),
        [(1500, 1e-4, 0.1), (1500, 0.3, 0.03), (1500, 2.0, 0.03), (500, 5.0, 0.15), (5, 2, 0.15)],
    )
    def test_points_are_repelled_by_all_others_and_not_by_themselves(
        self, dimensions: int, freedom: float, n: int, spread: float, tolerance: float
    ) -> None:
        # In a thin cloud a point's own weights would outweigh its neighbors.
        positions = cloud(n, dimensions, spread)
        field, slope = repulsion(positions, freedom)
        expected_field, expected_slope = by_pairs(positions, freedom, positions)
        assert relative(field, expected_field - 1) < 0.02
        assert relative(slope, expected_slope) < tolerance
        np.testing.assert_allclose(field.sum(dtype=np.float64), expected_field.sum() - n, rtol=5e-3)

    @pytest.mark.parametrize(("spread", "place"), [(1.0, 0), (2.0, 1000)])
    def test_the_potential_is_that_of_all_pairs_there_and_elsewhere(
        self, dimensions: int, freedom: float, spread: float, place: int
    ) -> None:
        # Splines of three nodes, 0.7 apart at most, follow w, which varies over a length of 1, to a few per cent;
        # where hundreds of points add up, what is left of their errors is about one.
        positions = cloud(1500, dimensions, spread) + np.float32(place)
        field, slope = potential(positions, freedom).at(positions)
        expected_field, expected_slope = by_pairs(positions, freedom, positions)
        np.testing.assert_allclose(field, expected_field, rtol=0.03)
        assert relative(slope, expected_slope) < 0.05
        np.testing.assert_allclose(slope.sum(axis=0, dtype=np.float64) / np.abs(slope).sum(), 0, atol=2e-3)
        elsewhere = cloud(100, dimensions, spread=4, seed=1) + np.float32(place)
        field, slope = potential(positions, freedom, elsewhere).at(elsewhere)
        expected_field, expected_slope = by_pairs(positions, freedom, elsewhere)
        np.testing.assert_allclose(field, expected_field, rtol=0.05, atol=0.01 * expected_field.max())
        assert relative(slope, expected_slope) < 0.05

    def test_a_map_wider_than_the_finest_mesh_gets_a_coarser_one(self, dimensions: int, freedom: float) -> None:
        # Two crowds, each some six nodes wide on the coarse mesh: they still see themselves and each other.
        nodes = MOST_NODES[dimensions]
        crowds = [cloud(1500, dimensions, spread=2.5, seed=seed) for seed in (0, 1)]
        crowds[1][:, 0] += 1.4 * nodes
        positions = np.concatenate(crowds)
        mesh = potential(positions, freedom)
        assert mesh.values.shape == (nodes,) * dimensions
        assert 1.4 < mesh.spacing < 2
        field, slope = mesh.at(positions)
        expected_field, expected_slope = by_pairs(positions, freedom, positions)
        assert relative(field, expected_field) < 0.1
        assert relative(slope, expected_slope) < 0.4

    def test_a_point_alone_has_its_own_potential_and_is_not_repelled(self, dimensions: int, freedom: float) -> None:
        here = np.full((1, dimensions), 3.21, np.float32)
        field, slope = potential(here, freedom).at(here)
        np.testing.assert_allclose(field, 1, rtol=2e-3)
        np.testing.assert_allclose(slope, 0, atol=0.02)
        field, slope = repulsion(here, freedom)
        np.testing.assert_allclose(field, 0, atol=2e-3)
        np.testing.assert_allclose(slope, 0, atol=1e-3)


@pytest.mark.parametrize("place", [100.0, float("nan")])
def test_outside_the_mesh_nothing_is_read(place: float) -> None:
    field = potential(cloud(50, 3), 2.0)
    with pytest.raises(ValueError, match="mesh"):
        field.at(np.full((1, 3), place, np.float32))


def divergence(positions: NDArray[np.float64], ties: Affinities, exaggeration: float, dimensions: int) -> float:
    """Return what t-SNE makes small (van der Maaten & Hinton 2008), up to a constant, from all pairs.

    With the exaggeration on, it is the factor on the attraction's part, as in openTSNE.
    """
    n, freedom = len(ties), dimensions - 1
    places = positions.reshape(n, dimensions)
    squared = ((places[:, None] - places[None]) ** 2).sum(axis=-1)
    weights = (1 + squared / freedom) ** (-(freedom + 1) / 2)
    np.fill_diagonal(weights, 0)
    logs = np.log(np.where(weights > 0, weights, 1))
    return float(np.log(weights.sum()) - exaggeration * (dense(ties) * logs).sum())


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize(("exaggeration", "spread"), [(1.0, 0.3), (12.0, 0.3), (12.0, 1.0)])
def test_a_step_goes_down_the_divergence(dimensions: int, exaggeration: float, spread: float) -> None:
    ties = ties_of(cloud(60, 10))
    start = cloud(60, dimensions, spread, seed=1)
    one = TsneSchedule(exaggeration=exaggeration, exaggerated=1, steps=0, rate=0.1)
    step = (tsne(ties, start, one) - (start - start.mean(axis=0))).astype(np.float64)
    flat = approx_fprime(start.astype(np.float64).ravel(), divergence, 1e-6, ties, exaggeration, dimensions)
    downhill = -flat.reshape(step.shape)
    factor = (step * downhill).sum() / (downhill**2).sum()
    assert factor > 0
    # A sum over a mesh is not quite the sum over all pairs.
    assert np.sqrt(((step / factor - downhill) ** 2).sum() / (downhill**2).sum()) < 0.05


def blobs(n: int, dimensions: int = 8, apart: float = 8.0) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return points around three centers, and their labels."""
    labels = np.arange(n) % 3
    return cloud(n, dimensions) + (apart * np.eye(3, dimensions, dtype=np.float32))[labels], labels


@pytest.mark.parametrize("dimensions", [2, 3])
def test_separate_blobs_stay_separate_in_the_same_centered_map_each_time(dimensions: int) -> None:
    points, labels = blobs(120)
    ties, start = ties_of(points), principal_start(points, dimensions)
    before = start.copy()
    positions, again = tsne(ties, start), tsne(ties, start)
    np.testing.assert_array_equal(again, positions)
    np.testing.assert_array_equal(start, before)
    np.testing.assert_allclose(positions.mean(axis=0), 0, atol=1e-5 * np.abs(positions).max())
    assert positions.dtype == np.float32
    parts = [positions[labels == blob] for blob in range(3)]
    centers = [part.mean(axis=0) for part in parts]
    radii = [np.linalg.norm(part - center, axis=1).max() for part, center in zip(parts, centers, strict=True)]
    for one, other in [(0, 1), (0, 2), (1, 2)]:
        assert np.linalg.norm(centers[one] - centers[other]) > radii[one] + radii[other]


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_map_can_be_trusted_and_every_step_is_reported(dimensions: int) -> None:
    points, labels = blobs(120)
    neighbors = nearest(points, neighbors_needed(len(points)))
    reported: list[tuple[int, int]] = []
    schedule = TsneSchedule(exaggerated=60, steps=20)
    found = embed(points, neighbors, dimensions, schedule, lambda *step: reported.append(step))
    assert (found.positions.shape, found.perplexity) == ((120, dimensions), 30)
    assert reported == [(step, 80) for step in range(1, 81)]
    measured = embedding_quality(points, neighbors, labels, found.positions)
    assert measured.knn_accuracy == 1
    assert measured.trustworthiness > 0.9


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("n", [3, 4, 5, 12])
def test_a_few_points_are_mapped_and_measured(n: int, dimensions: int) -> None:
    points, labels = blobs(n)
    neighbors = nearest(points, neighbors_needed(n))
    positions = embed(points, neighbors, dimensions, SHORT).positions
    assert positions.shape == (n, dimensions)
    assert np.isfinite(positions).all()
    assert len(np.unique(positions, axis=0)) == n
    measured = embedding_quality(points, neighbors, labels, positions)
    assert all(0 <= value <= 1 for value in vars(measured).values())


def test_duplicates_share_a_place() -> None:
    points = cloud(40, 6)
    points[1] = points[0]
    positions = tsne(ties_of(points), principal_start(points, 2), SHORT)
    assert np.linalg.norm(positions[1] - positions[0]) < 0.05 * np.linalg.norm(np.ptp(positions, axis=0))


@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_start_is_principal_components_of_a_small_spread(dimensions: int) -> None:
    points = cloud(100, 6) * np.array([1, 5, 2, 9, 3, 1], np.float32) + np.float32(4)
    start = principal_start(points, dimensions)
    centered = points.astype(np.float64) - points.mean(axis=0, dtype=np.float64)
    left, sizes, _ = np.linalg.svd(centered, full_matrices=False)
    scores = (left * sizes)[:, :dimensions]
    assert start.shape == (100, dimensions)
    np.testing.assert_allclose(np.abs(start), np.abs(scores) / scores[:, 0].std() * 1e-4, rtol=1e-3, atol=1e-8)


def test_the_quality_of_a_map_is_scikit_learns() -> None:
    points, labels = blobs(150, apart=1.5)
    positions = points[:, :2].copy()
    measured = embedding_quality(points, nearest(points, 90), labels, positions)
    vote = KNeighborsClassifier(10)
    assert measured.knn_accuracy == pytest.approx(cross_val_score(vote, positions, labels, cv=LeaveOneOut()).mean())
    assert measured.knn_accuracy_before == pytest.approx(cross_val_score(vote, points, labels, cv=LeaveOneOut()).mean())
    assert measured.knn_accuracy < measured.knn_accuracy_before
    assert measured.trustworthiness == pytest.approx(trustworthiness(points, positions, n_neighbors=12))
    pairs = zip(nearest(points, 12).indices, nearest(positions, 12).indices, strict=True)
    assert measured.neighbours_kept == pytest.approx(np.mean([np.isin(a, b).mean() for a, b in pairs]))


def test_of_tied_classes_the_smaller_is_named() -> None:
    line = np.array([[0], [1], [2.5]], np.float32)
    assert knn_accuracy(nearest(line, 2), np.array([4, 4, 2])) == 0
    assert knn_accuracy(nearest(line, 2), np.array([4, 4, 7])) == pytest.approx(2 / 3)


@given(st.integers(2, 100_000))
def test_perplexity_and_neighbours_fit_the_number_of_points(n: int) -> None:
    perplexity, needed = perplexity_for(n), neighbors_needed(n)
    assert 1 <= perplexity <= 30
    assert perplexity <= needed < n
    assert needed == n - 1 or needed >= 10
    assert (perplexity, needed) == (30, 90) or n <= 90
