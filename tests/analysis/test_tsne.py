"""Steps go down the Kullback-Leibler divergence; what is apart stays apart."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import approx_fprime
from scipy.sparse import csr_array

from experiments.analysis.affinities import Affinities, affinities
from experiments.analysis.neighbors import nearest
from experiments.analysis.tsne import TsneSchedule, principal_start, tsne

BLOBS = 3
SHORT = TsneSchedule(exaggerated=20, steps=20)


def cloud(n: int, dimensions: int, spread: float = 1.0, seed: int = 0) -> NDArray[np.float32]:
    return (np.random.default_rng(seed).normal(size=(n, dimensions)) * spread).astype(np.float32)


def ties_of(points: NDArray[np.float32]) -> Affinities:
    k = min(len(points) - 1, 30)
    return affinities(nearest(points, k), max(1.0, k / 3))


def divergence(positions: NDArray[np.float64], ties: Affinities, exaggeration: float, dimensions: int) -> float:
    """Return what t-SNE makes small (van der Maaten & Hinton 2008), up to a constant, from all pairs.

    With the exaggeration on, it is the factor on the attraction's part, as in openTSNE.
    """
    n, freedom = len(ties), dimensions - 1
    places = positions.reshape(n, dimensions)
    squared = ((places[:, None] - places[None]) ** 2).sum(axis=-1)
    weights = (1 + squared / freedom) ** (-(freedom + 1) / 2)
    np.fill_diagonal(weights, 0)
    matrix = csr_array((ties.values, ties.columns, ties.starts), (n, n)).toarray().astype(np.float64)
    logs = np.log(np.where(weights > 0, weights, 1))
    return float(np.log(weights.sum()) - exaggeration * (matrix * logs).sum())


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("exaggeration", [1.0, 12.0])
@pytest.mark.parametrize("spread", [0.3, 1.0])
def test_a_step_goes_down_the_divergence(dimensions: int, exaggeration: float, spread: float) -> None:
    ties = ties_of(cloud(120, 10))
    start = cloud(120, dimensions, spread, seed=1)
    one = TsneSchedule(exaggeration=exaggeration, exaggerated=1, steps=0, rate=0.1)
    step = (tsne(ties, start, one) - (start - start.mean(axis=0))).astype(np.float64)
    flat = approx_fprime(start.astype(np.float64).ravel(), divergence, 1e-6, ties, exaggeration, dimensions)
    downhill = -flat.reshape(step.shape)
    factor = (step * downhill).sum() / (downhill**2).sum()
    assert factor > 0
    # A sum over a mesh is not quite the sum over all pairs; see test_repulsion.
    assert np.sqrt(((step / factor - downhill) ** 2).sum() / (downhill**2).sum()) < 0.05


@pytest.fixture(scope="module", params=[2, 3])
def blobs(request: pytest.FixtureRequest) -> tuple[Affinities, NDArray[np.float32]]:
    """Return ties and start of three blobs of fifty points, one blob after the other."""
    points = np.concatenate([cloud(50, 10, seed=blob) + 8 * np.eye(10)[blob] for blob in range(BLOBS)])
    points = points.astype(np.float32)
    return ties_of(points), principal_start(points, request.param)


@pytest.fixture(scope="module")
def positions(blobs: tuple[Affinities, NDArray[np.float32]]) -> NDArray[np.float32]:
    return tsne(*blobs)


def test_separate_blobs_stay_separate(positions: NDArray[np.float32]) -> None:
    parts = positions.reshape(BLOBS, 50, -1)
    centers = parts.mean(axis=1)
    radii = np.linalg.norm(parts - centers[:, None], axis=-1).max(axis=1)
    for first, second in [(0, 1), (0, 2), (1, 2)]:
        assert np.linalg.norm(centers[first] - centers[second]) > radii[first] + radii[second]


def test_the_map_is_centered(positions: NDArray[np.float32]) -> None:
    np.testing.assert_allclose(positions.mean(axis=0), 0, atol=1e-5 * np.abs(positions).max())
    assert positions.dtype == np.float32


def test_the_map_is_the_same_each_time(
    blobs: tuple[Affinities, NDArray[np.float32]], positions: NDArray[np.float32]
) -> None:
    ties, start = blobs
    before = start.copy()
    np.testing.assert_array_equal(tsne(ties, start), positions)
    np.testing.assert_array_equal(start, before)


def test_every_step_is_reported() -> None:
    points = cloud(20, 4)
    reported: list[tuple[int, int]] = []
    tsne(
        ties_of(points),
        principal_start(points, 2),
        TsneSchedule(exaggerated=2, steps=3),
        lambda *step: reported.append(step),
    )
    assert reported == [(step, 5) for step in range(1, 6)]


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("n", [3, 4, 5, 8, 12])
def test_a_few_points_have_a_map(n: int, dimensions: int) -> None:
    points = cloud(n, 6)
    positions = tsne(ties_of(points), principal_start(points, dimensions), SHORT)
    assert positions.shape == (n, dimensions)
    assert np.isfinite(positions).all()
    assert len(np.unique(positions, axis=0)) == n


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
