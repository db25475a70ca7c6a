"""Points are placed where t-SNE's objective for one point is least, among their own class, and move nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.spatial.distance import cdist
from sklearn.neighbors import KNeighborsClassifier

from experiments.analysis import embed, nearest, neighbors_needed
from experiments.analysis.affinities import conditional
from experiments.transfer.new_points import embed_new_points

Array = NDArray[np.float32]
CLASSES = 6


def blobs(n: int, seed: int, spread: float = 1.0) -> tuple[Array, NDArray[np.int64]]:
    """Return points around six centres, and around which."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, n)
    return (7 * np.eye(CLASSES, 12)[labels] + spread * rng.normal(size=(n, 12))).astype(np.float32), labels


@pytest.fixture(scope="module", params=[2, 3])
def mapped(request: pytest.FixtureRequest) -> tuple[Array, NDArray[np.int64], Array]:
    """Return points, labels and their map."""
    points, labels = blobs(900, 0)
    return points, labels, embed(points, nearest(points, neighbors_needed(900)), request.param).positions


Mapped = tuple[Array, NDArray[np.int64], Array]


def share(places: Array, labels: NDArray[np.int64], others: Array, other_labels: NDArray[np.int64]) -> float:
    """Return the share of points whose 10 nearest of others name their class."""
    return float(KNeighborsClassifier(10).fit(others, other_labels).score(places, labels))


def divergence(positions: Array, near: NDArray[np.int64], weights: Array, at: NDArray[np.float64]) -> float:
    """Return the divergence of the map's kernel at a place from a point's weights, over all pairs."""
    freedom = max(positions.shape[1] - 1, 1)
    kernel = (1 + ((positions - at) ** 2).sum(axis=1) / freedom) ** (-(freedom + 1) / 2)
    share = kernel[near] / kernel.sum()
    return float((weights * np.log(np.maximum(weights, 1e-30) / share)).sum())


@pytest.mark.parametrize("spread", [1.0, 2.2])
def test_points_of_another_domain_lie_with_their_class(mapped: Mapped, spread: float) -> None:
    source, labels, positions = mapped
    target, truth = blobs(300, 1, spread)
    places = embed_new_points(positions, source, target)
    assert places.dtype == np.float32
    assert places.shape == (300, positions.shape[1])
    assert share(places, truth, positions, labels) >= share(target, truth, source, labels) - 0.05


def test_each_place_is_where_its_own_objective_is_least(mapped: Mapped) -> None:
    # The mesh follows the potential to a few per cent: the slopes differ, and what is lost by it is small beside 1.
    source, _, positions = mapped
    target, _ = blobs(12, 2, 2.0)
    places = embed_new_points(positions, source, target)
    apart = cdist(target, source)
    for point, there in enumerate(places):
        near = np.argsort(apart[point])[:15]
        weights = conditional(apart[point][None, near].astype(np.float32), 5.0)[0]
        found = divergence(positions, near, weights, there)
        starts = [there, np.median(positions[near], axis=0), positions[near[0]]]
        exact = [minimize(lambda x, n=near, w=weights: divergence(positions, n, w, x), start) for start in starts]
        assert found <= exact[0].fun + 0.05
        assert found <= min(one.fun for one in exact) + 0.3  # it may lie in another valley


def test_a_point_of_the_map_is_placed_where_it_lies(mapped: Mapped) -> None:
    source, _, positions = mapped
    places = embed_new_points(positions, source, source[:200])
    off = np.linalg.norm(places - positions[:200], axis=1)
    assert np.median(off) < 0.1 * np.ptp(positions)
    scattered = np.median(cdist(positions[:200], positions))
    assert np.median(off) < 0.15 * scattered


def test_the_map_stays_and_places_do_not_depend_on_each_other(mapped: Mapped) -> None:
    source, _, positions = mapped
    target, _ = blobs(40, 3)
    before = positions.copy()
    together = embed_new_points(positions, source, target)
    np.testing.assert_array_equal(positions, before)
    np.testing.assert_allclose(embed_new_points(positions, source, target[7:9]), together[7:9], atol=0.05)
    np.testing.assert_allclose(embed_new_points(positions, source, target[::-1]), together[::-1], atol=0.05)


def test_what_is_like_nothing_on_the_map_stays_near_it(mapped: Mapped) -> None:
    source, _, positions = mapped
    places = embed_new_points(positions, source, np.full((5, 12), 1e3, np.float32))
    assert np.isfinite(places).all()
    margin = 1 + 0.05 * np.ptp(positions, axis=0).max() + 1e-3
    assert (places >= positions.min(axis=0) - margin).all()
    assert (places <= positions.max(axis=0) + margin).all()


def test_a_point_between_two_classes_is_placed_by_one_of_them_and_not_by_others(mapped: Mapped) -> None:
    source, labels, positions = mapped
    middle = (3.5 * (np.eye(CLASSES, 12)[0] + np.eye(CLASSES, 12)[1])).astype(np.float32)
    (there,) = embed_new_points(positions, source, middle[None], perplexity=30)
    nearest_ones = np.linalg.norm(positions - there, axis=1).argsort()[:10]
    assert set(labels[nearest_ones]) <= {0, 1}


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(0, 8), st.sampled_from([2, 3]), st.integers(0, 2**32 - 1))
def test_any_number_of_points_is_placed_on_any_map(n: int, m: int, dimensions: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    positions = (rng.normal(size=(n, dimensions)) * 10).astype(np.float32)
    source, target = (rng.integers(0, 3, (k, 4)).astype(np.float32) for k in (n, m))
    places = embed_new_points(positions, source, target, perplexity=min(5, n))
    assert places.shape == (m, dimensions)
    assert np.isfinite(places).all()


@pytest.mark.parametrize("perplexity", [0.5, 21])
def test_a_perplexity_that_the_map_does_not_allow_is_refused(perplexity: float) -> None:
    points, _ = blobs(20, 0)
    with pytest.raises(ValueError, match=f"from 1 to 20, the points of the map. Received: {perplexity}"):
        embed_new_points(points[:, :2], points, points[:3], perplexity)


@pytest.mark.parametrize(
    ("positions", "source", "target", "message"),
    [
        ((9, 4), (9, 5), (3, 5), r"received \(9, 4\)"),
        ((9, 2), (8, 5), (3, 5), r"received \(8, 5\) and \(3, 5\)"),
        ((9, 2), (9, 5), (3, 4), r"received \(9, 5\) and \(3, 4\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(
    positions: tuple[int, int], source: tuple[int, int], target: tuple[int, int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        embed_new_points(np.zeros(positions, np.float32), np.zeros(source, np.float32), np.zeros(target, np.float32))
