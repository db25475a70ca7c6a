"""New points lie where t-SNE's objective for one point is lowest, among their own class, and move nothing else."""

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
Labels = NDArray[np.int64]
Mapped = tuple[Array, Labels, Array]
CLASSES, N = 6, 600


def blobs(n: int, seed: int, spread: float = 1.0) -> tuple[Array, Labels]:
    """Return points around six centers, and around which."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, n)
    return (7 * np.eye(CLASSES, 12)[labels] + spread * rng.normal(size=(n, 12))).astype(np.float32), labels


@pytest.fixture(scope="module", params=[2, 3])
def mapped(request: pytest.FixtureRequest) -> Mapped:
    """Return points, labels and their map."""
    points, labels = blobs(N, 0)
    return points, labels, embed(points, nearest(points, neighbors_needed(N)), request.param).positions


def accuracy(places: Array, labels: Labels, others: Array, other_labels: Labels) -> float:
    return float(KNeighborsClassifier(10).fit(others, other_labels).score(places, labels))


def divergence(positions: Array, near: Labels, weights: Array, at: NDArray[np.float64]) -> float:
    """Return the divergence of the map's kernel at a place from a point's weights, over all pairs."""
    freedom = max(positions.shape[1] - 1, 1)
    kernel = (1 + ((positions - at) ** 2).sum(axis=1) / freedom) ** (-(freedom + 1) / 2)
    return float((weights * np.log(np.maximum(weights, 1e-30) / (kernel[near] / kernel.sum()))).sum())


@pytest.mark.parametrize("spread", [1.0, 2.2])
def test_points_of_another_domain_lie_with_their_class(mapped: Mapped, spread: float) -> None:
    source, labels, positions = mapped
    target, truth = blobs(300, 1, spread)
    places = embed_new_points(positions, source, target)
    assert places.shape == (300, positions.shape[1])
    assert places.dtype == np.float32
    assert accuracy(places, truth, positions, labels) >= accuracy(target, truth, source, labels) - 0.05


def test_each_place_is_where_its_own_objective_is_lowest(mapped: Mapped) -> None:
    # The interpolated potential is off by a few per cent: the slopes differ, and what is lost by it is small beside 1.
    source, _, positions = mapped
    target, _ = blobs(12, 2, 2.0)
    apart = cdist(target, source)
    for point, there in enumerate(embed_new_points(positions, source, target)):
        near = np.argsort(apart[point])[:15]
        weights = conditional(apart[point][None, near].astype(np.float32), 5.0)[0]
        found = divergence(positions, near, weights, there)
        starts = [there, np.median(positions[near], axis=0), positions[near[0]]]
        exact = [minimize(lambda x, n=near, w=weights: divergence(positions, n, w, x), start) for start in starts]
        assert found <= exact[0].fun + 0.05
        assert found <= min(one.fun for one in exact) + 0.3  # it may lie in another valley


def test_the_map_stays_and_places_do_not_depend_on_each_other(mapped: Mapped) -> None:
    source, _, positions = mapped
    target, _ = blobs(40, 3)
    before = positions.copy()
    together = embed_new_points(positions, source, target)
    np.testing.assert_array_equal(positions, before)
    np.testing.assert_allclose(embed_new_points(positions, source, target[7:9]), together[7:9], atol=0.05)
    np.testing.assert_allclose(embed_new_points(positions, source, target[::-1]), together[::-1], atol=0.05)


def test_an_outlier_stays_near_the_map(mapped: Mapped) -> None:
    source, _, positions = mapped
    places = embed_new_points(positions, source, np.full((5, 12), 1e3, np.float32))
    margin = 1 + 0.05 * np.ptp(positions, axis=0).max() + 1e-3
    assert (places >= positions.min(axis=0) - margin).all()
    assert (places <= positions.max(axis=0) + margin).all()


@settings(max_examples=25)
@given(st.integers(1, 40), st.integers(0, 8), st.sampled_from([2, 3]), st.integers(0, 2**32 - 1))
def test_any_number_of_points_is_placed_on_any_map(n: int, m: int, dimensions: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    positions = (rng.normal(size=(n, dimensions)) * 10).astype(np.float32)
    source, target = (rng.integers(0, 3, (k, 4)).astype(np.float32) for k in (n, m))
    places = embed_new_points(positions, source, target, perplexity=min(5, n))
    assert places.shape == (m, dimensions)
    assert np.isfinite(places).all()


@pytest.mark.parametrize(
    ("positions", "source", "target", "perplexity", "message"),
    [
        ((9, 4), (9, 5), (3, 5), 5, r"\(9, 4\)"),
        ((9, 2), (8, 5), (3, 5), 5, r"\(8, 5\) and \(3, 5\)"),
        ((9, 2), (9, 5), (3, 4), 5, r"\(9, 5\) and \(3, 4\)"),
        ((20, 2), (20, 5), (3, 5), 0.5, r"from 1 to 20.*0\.5"),
        ((20, 2), (20, 5), (3, 5), 21, "from 1 to 20.*21"),
    ],
)
def test_shapes_and_perplexities_that_do_not_fit_are_refused(
    positions: tuple[int, int], source: tuple[int, int], target: tuple[int, int], perplexity: float, message: str
) -> None:
    features, others = np.zeros(source, np.float32), np.zeros(target, np.float32)
    with pytest.raises(ValueError, match=message):
        embed_new_points(np.zeros(positions, np.float32), features, others, perplexity)
