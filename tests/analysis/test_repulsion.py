"""Potential and slope are those of the sum over all pairs."""

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.analysis.repulsion import MOST_NODES, potential, repulsion

CASES = [(2, 1.0), (3, 2.0), (2, 2.0), (3, 1.0)]  # dimensions and freedom, those that t-SNE uses first


def cloud(n: int, dimensions: int, spread: float = 1.0, seed: int = 0) -> NDArray[np.float32]:
    return (np.random.default_rng(seed).normal(size=(n, dimensions)) * spread).astype(np.float32)


def by_pairs(
    positions: NDArray[np.float32], freedom: float, at: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sum of w and of its gradient over all points, each point itself included."""
    apart = at.astype(np.float64)[:, None] - positions[None]
    base = 1 + (apart**2).sum(axis=-1) / freedom
    slopes = -(freedom + 1) / freedom * base ** (-(freedom + 3) / 2)
    return (base ** (-(freedom + 1) / 2)).sum(axis=1), (slopes[..., None] * apart).sum(axis=1)


def relative(found: NDArray[np.floating], expected: NDArray[np.floating]) -> float:
    """Return the root mean square of the error over that of what is expected."""
    return float(np.sqrt(((found - expected) ** 2).sum() / (expected**2).sum()))


@pytest.mark.parametrize(("dimensions", "freedom"), CASES)
@pytest.mark.parametrize("spread", [0.3, 1.0, 2.0])
def test_field_and_slope_of_a_dense_cloud_are_those_of_all_pairs(
    dimensions: int, freedom: float, spread: float
) -> None:
    # Splines of three nodes, 0.7 apart at most, follow w, which varies over a length of 1, to a few per cent; where
    # hundreds of points add up, what is left of their errors is about one.
    positions = cloud(1500, dimensions, spread)
    field, slope = potential(positions, freedom).at(positions)
    expected_field, expected_slope = by_pairs(positions, freedom, positions)
    np.testing.assert_allclose(field, expected_field, rtol=0.03)
    assert relative(slope, expected_slope) < 0.05


@pytest.mark.parametrize(("dimensions", "freedom"), CASES)
def test_what_acts_on_the_points_adds_up_to_nothing(dimensions: int, freedom: float) -> None:
    positions = cloud(1500, dimensions)
    _, slope = potential(positions, freedom).at(positions)
    np.testing.assert_allclose(slope.sum(axis=0, dtype=np.float64) / np.abs(slope).sum(), 0, atol=2e-3)


@pytest.mark.parametrize(("dimensions", "freedom"), CASES)
def test_the_field_can_be_asked_for_elsewhere(dimensions: int, freedom: float) -> None:
    positions, elsewhere = cloud(800, dimensions), cloud(100, dimensions, spread=4, seed=1)
    field, slope = potential(positions, freedom, elsewhere).at(elsewhere)
    expected_field, expected_slope = by_pairs(positions, freedom, elsewhere)
    np.testing.assert_allclose(field, expected_field, rtol=0.05, atol=0.01 * expected_field.max())
    assert relative(slope, expected_slope) < 0.05


@pytest.mark.parametrize(("dimensions", "freedom"), CASES)
def test_a_point_alone_has_the_potential_of_a_point(dimensions: int, freedom: float) -> None:
    here = np.full((1, dimensions), 3, np.float32)
    field, slope = potential(here, freedom).at(here)
    np.testing.assert_allclose(field, 1, rtol=2e-3)
    np.testing.assert_allclose(slope, 0, atol=0.02)


@pytest.mark.parametrize(("dimensions", "freedom"), CASES)
def test_the_field_goes_where_the_points_go(dimensions: int, freedom: float) -> None:
    positions = cloud(500, dimensions)
    there = positions + np.float32(1000)
    field, slope = potential(positions, freedom).at(positions)
    field_there, slope_there = potential(there, freedom).at(there)
    np.testing.assert_allclose(field_there, field, rtol=2e-3)
    assert relative(slope_there, slope) < 0.02


@pytest.mark.parametrize(("dimensions", "freedom"), CASES)
def test_a_map_wider_than_the_finest_mesh_gets_a_coarser_one(dimensions: int, freedom: float) -> None:
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


@pytest.mark.parametrize(("dimensions", "freedom"), CASES)
@pytest.mark.parametrize(
    ("n", "spread", "tolerance"),
    [(1500, 1e-4, 0.1), (1500, 0.3, 0.03), (1500, 2.0, 0.03), (500, 5.0, 0.15), (5, 2, 0.15)],
)
def test_points_are_repelled_by_all_others_and_not_by_themselves(
    dimensions: int, freedom: float, n: int, spread: float, tolerance: float
) -> None:
    # In a thin cloud a point's own weights would outweigh its neighbors.
    positions = cloud(n, dimensions, spread)
    field, slope = repulsion(positions, freedom)
    expected_field, expected_slope = by_pairs(positions, freedom, positions)
    assert relative(field, expected_field - 1) < 0.02
    assert relative(slope, expected_slope) < tolerance
    np.testing.assert_allclose(field.sum(dtype=np.float64), expected_field.sum() - n, rtol=5e-3)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_point_alone_is_not_repelled(dimensions: int) -> None:
    field, slope = repulsion(np.full((1, dimensions), 3.21, np.float32), 1.0)
    np.testing.assert_allclose(field, 0, atol=2e-3)
    np.testing.assert_allclose(slope, 0, atol=1e-3)


@pytest.mark.parametrize("place", [100.0, float("nan")])
def test_outside_the_mesh_nothing_is_read(place: float) -> None:
    field = potential(cloud(50, 3), 2.0)
    with pytest.raises(ValueError, match="within the mesh"):
        field.at(np.full((1, 3), place, np.float32))
