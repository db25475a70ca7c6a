"""Shifts are those of their definitions, nothing where there is none, and blind to how wide a network is."""

import importlib
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, pdist
from sklearn.datasets import make_classification

from experiments.transfer.shift import Shift, shift

Array = NDArray[np.float32]


def cloud(n: int, dimensions: int = 6, moved: float = 0.0, seed: int = 0) -> Array:
    """Return points of a correlated Gaussian, moved along the first axis."""
    turned = np.random.default_rng(99).normal(size=(dimensions, dimensions))
    points = np.random.default_rng(seed).normal(size=(n, dimensions)) @ turned
    points[:, 0] += moved * points[:, 0].std()
    return points.astype(np.float32)


@pytest.fixture
def no_classifier(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the A-distance out: where many shifts are measured it takes longest."""
    monkeypatch.setattr(importlib.import_module("experiments.transfer.shift"), "_a_distance", lambda *_: math.nan)


def assert_close(some: Shift, others: Shift, tolerance: float) -> None:
    """The measures that have no seed are the same up to rounding; that of the classifier up to a few points."""
    assert some.mmd == pytest.approx(others.mmd, abs=tolerance)
    assert some.coral == pytest.approx(others.coral, abs=tolerance)
    assert some.coral_chance == pytest.approx(others.coral_chance, abs=tolerance)
    assert some.a_distance == pytest.approx(others.a_distance, abs=0.1)
    np.testing.assert_allclose(some.class_distances, others.class_distances, atol=10 * tolerance)


def test_mmd_is_the_sum_over_all_pairs_of_its_definition() -> None:
    source, target = cloud(60), cloud(60, moved=0.7, seed=1)
    width = np.median(pdist(np.concatenate([source, target]).astype(np.float64)))
    within_source, across, within_target = (
        np.exp(-(cdist(some, others) ** 2) / (2 * width**2))
        for some, others in ((source, source), (source, target), (target, target))
    )
    pairs = 60 * 59
    expected = (within_source.sum() - 60) / pairs + (within_target.sum() - 60) / pairs - 2 * across.mean()
    assert shift(source, target).mmd == pytest.approx(expected, abs=1e-5)


def test_mmd_of_two_gaussians_is_that_of_their_densities() -> None:
    # Of N(0, I) and N(a, I), under a Gaussian kernel of variance g: 2 (g / (g + 2))^(d/2) (1 - e^(-|a|^2 / (2 g + 4))).
    d, n, apart = 3, 2000, 1.5
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(n, d)).astype(np.float32), rng.normal(size=(n, d)).astype(np.float32)
    target[:, 0] += apart
    g = np.median(pdist(np.concatenate([source, target]))) ** 2
    expected = 2 * (g / (g + 2)) ** (d / 2) * (1 - math.exp(-(apart**2) / (2 * g + 4)))
    assert shift(source, target).mmd == pytest.approx(expected, rel=0.1)


def test_coral_is_that_of_the_paper_on_features_of_mean_variance_one() -> None:
    source, target = cloud(300, 5), 1.7 * cloud(200, 5, seed=1)
    scale = np.sqrt(np.var(source, axis=0, ddof=1).mean())
    covariances = [np.cov(domain / scale, rowvar=False) for domain in (source, target)]
    expected = np.linalg.norm(covariances[0] - covariances[1], "fro") ** 2 / (4 * 5**2)
    assert shift(source, target).coral == pytest.approx(expected, rel=1e-4)


@pytest.mark.usefixtures("no_classifier")
def test_coral_by_chance_is_what_samples_of_one_distribution_give(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("experiments.transfer.shift"), "PERMUTATIONS", 1)
    found = [shift(cloud(150, 4, seed=2 * i), cloud(90, 4, seed=2 * i + 1)) for i in range(400)]
    expected = np.mean([one.coral_chance for one in found])
    assert np.mean([one.coral for one in found]) == pytest.approx(expected, rel=0.2)


@pytest.mark.usefixtures("no_classifier")
def test_p_values_of_no_shift_are_evenly_spread() -> None:
    p_values = [shift(cloud(60, seed=2 * i), cloud(60, seed=2 * i + 1), seed=i).mmd_p_value for i in range(80)]
    assert np.mean(np.array(p_values) < 0.1) < 0.25
    assert 0.35 < np.mean(p_values) < 0.65
    assert min(p_values) >= 1 / 1000


def test_the_same_distribution_has_no_shift() -> None:
    labels = np.arange(1500) % 10
    found = shift(cloud(1500), cloud(1500, seed=1), labels, labels)
    assert abs(found.mmd) < 2 * found.mmd_chance
    assert found.coral < 3 * found.coral_chance
    assert found.a_distance < 0.15
    assert max(found.class_distances) < 0.5


def test_all_measures_grow_with_the_distance() -> None:
    labels = np.arange(400) % 10
    found = [shift(cloud(400), cloud(400, moved=moved, seed=1), labels, labels) for moved in (0, 1, 2, 4)]
    for measure in ("mmd", "a_distance"):
        values = [getattr(one, measure) for one in found]
        assert values == sorted(values)
        assert values[-1] > values[0] + 0.1
    assert found[-1].mmd_p_value == 1 / 1000
    assert found[-1].mmd > found[-1].mmd_chance > 0
    assert (np.diff([one.class_distances for one in found[1:]], axis=0) > 0).all()


def test_a_distance_goes_from_nothing_to_two() -> None:
    far = shift(cloud(200), cloud(200, seed=1) + np.float32(100))
    assert far.a_distance == 2
    # Where the label turns with the place, a line guesses worse than chance, or as well; it is never below 0.
    assert all(0 <= shift(cloud(20, seed=i), cloud(20, seed=i + 50)).a_distance <= 2 for i in range(4))


def test_a_distance_is_the_error_of_the_best_line() -> None:
    # Two Gaussians a apart are told apart by their middle with an error of Phi(-a / 2): 0.1587 for a = 2.
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(2, 2000, 8)).astype(np.float32)
    target[:, 3] += 2
    assert shift(source, target).a_distance == pytest.approx(2 * (1 - 2 * 0.1587), abs=0.06)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["twice", "still", "turned", "scaled", "moved", "columns"]))
def test_how_a_space_is_written_down_changes_nothing(seed: int, change: str) -> None:
    rng = np.random.default_rng(seed)
    source, target = cloud(80, 5, seed=seed), cloud(70, 5, moved=1, seed=seed + 1)
    turn = np.linalg.qr(rng.normal(size=(5, 5)))[0].astype(np.float32)
    order = rng.permutation(5)
    changes: dict[str, Callable[[Array], Array]] = {
        "twice": lambda x: np.concatenate([x, x], axis=1),
        "still": lambda x: np.pad(x, ((0, 0), (0, 9)), constant_values=3),
        "turned": lambda x: x @ turn,
        "scaled": lambda x: np.float32(250) * x,
        "moved": lambda x: x + np.float32(10),
        "columns": lambda x: x[:, order],
    }
    labels = np.arange(80) % 10
    plain = shift(source, target, labels, labels[:70])
    assert_close(shift(changes[change](source), changes[change](target), labels, labels[:70]), plain, 1e-4)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_points_changes_nothing_but_the_halves(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, 120)
    source, target = cloud(120), cloud(120, moved=1, seed=1)
    order, other = rng.permutation(120), rng.permutation(120)
    plain, mixed = (
        shift(source, target, labels, labels),
        shift(source[order], target[other], labels[order], labels[other]),
    )
    assert mixed.mmd == pytest.approx(plain.mmd, abs=1e-5)
    assert mixed.coral == pytest.approx(plain.coral, abs=1e-6)
    np.testing.assert_allclose(mixed.class_distances, plain.class_distances, rtol=1e-4)


def test_a_shift_is_the_same_from_either_side_but_for_its_unit() -> None:
    source, target = cloud(100), cloud(100, moved=1, seed=1)
    assert shift(source, target).mmd == pytest.approx(shift(target, source).mmd, abs=1e-5)


def test_the_same_seed_gives_the_same_numbers() -> None:
    source, target = cloud(2100), cloud(2050, moved=0.3, seed=1)
    first = shift(source, target, seed=4)
    assert first.sample == 2000
    np.testing.assert_equal(vars(shift(source, target, seed=4)), vars(first))
    assert first.mmd != shift(source, target, seed=5).mmd


def test_class_distances_are_means_over_the_spread_and_absent_classes_have_none() -> None:
    source = np.array([[0, 0], [0, 2], [4, 0], [4, 2], [9, 9], [7, 7], [7, 7]], np.float32)
    target = np.array([[3, 1], [3, 1], [4, 1], [9, 9], [7, 8]], np.float32)
    found = shift(source, target, np.array([0, 0, 1, 1, 3, 5, 5]), np.array([0, 0, 1, 3, 5]))
    expected = [3, 0, *[math.nan] * 8]  # 3 occurs once in the source, and 5 does not vary
    np.testing.assert_allclose(found.class_distances, expected, atol=1e-6)


def test_without_labels_there_are_no_class_distances() -> None:
    assert all(math.isnan(x) for x in shift(cloud(30), cloud(20)).class_distances)
    assert all(math.isnan(x) for x in shift(cloud(30), cloud(20), np.zeros(30, np.int64)).class_distances)


def test_wide_features_of_few_points_and_hardly_varying_ones_are_measured() -> None:
    points, _ = make_classification(60, 300, random_state=0)
    wide = points.astype(np.float32)
    assert shift(wide[:30], wide[30:]).mmd_p_value > 0.001
    still = np.zeros((40, 5), np.float32)
    still[0] = 1
    found = shift(still, still)
    assert all(math.isfinite(x) for x in (found.mmd, found.coral, found.a_distance))
    two = shift(cloud(2), cloud(2, seed=1))
    assert two.sample == 2


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (cloud(9, 3), cloud(9, 4), r"received \(9, 3\) and \(9, 4\)"),
        (cloud(9), cloud(9)[0], r"received \(9, 6\) and \(6,\)"),
        (cloud(9), cloud(1), "received 9 and 1"),
        (cloud(9), cloud(9) * np.float32(np.nan), "finite"),
        (np.ones((9, 2), np.float32), cloud(9, 2), "must vary"),
    ],
)
def test_malformed_features_are_refused(source: Array, target: Array, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        shift(source, target)


def test_labels_of_other_points_are_refused() -> None:
    with pytest.raises(ValueError, match=r"9 points must have shape \(n,\), received \(8,\)"):
        shift(cloud(9), cloud(9), np.zeros(9, np.int64), np.zeros(8, np.int64))
