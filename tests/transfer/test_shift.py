"""Measures of a shift follow their definitions and do not depend on the width of a network."""

import importlib
import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, pdist
from sklearn.datasets import make_classification

from experiments.transfer.shift import shift

Array = NDArray[np.float32]

MODULE = importlib.import_module("experiments.transfer.shift")


def cloud(n: int, dimensions: int = 6, moved: float = 0.0, seed: int = 0) -> Array:
    """Return points of a correlated Gaussian, moved along the first axis."""
    turned = np.random.default_rng(99).normal(size=(dimensions, dimensions))
    points = np.random.default_rng(seed).normal(size=(n, dimensions)) @ turned
    points[:, 0] += moved * points[:, 0].std()
    return points.astype(np.float32)


@pytest.fixture
def no_classifier(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the A-distance out: where many shifts are measured it takes longest."""
    monkeypatch.setattr(MODULE, "_a_distance", lambda *_: math.nan)


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


def test_coral_is_that_of_the_paper_on_features_of_mean_variance_one() -> None:
    source, target = cloud(300, 5), 1.7 * cloud(200, 5, seed=1)
    scale = np.sqrt(np.var(source, axis=0, ddof=1).mean())
    covariances = [np.cov(domain / scale, rowvar=False) for domain in (source, target)]
    expected = np.linalg.norm(covariances[0] - covariances[1], "fro") ** 2 / (4 * 5**2)
    assert shift(source, target).coral == pytest.approx(expected, rel=1e-4)


@pytest.mark.usefixtures("no_classifier")
def test_coral_by_chance_is_what_samples_of_one_distribution_give(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "PERMUTATIONS", 1)
    found = [shift(cloud(150, 4, seed=2 * i), cloud(90, 4, seed=2 * i + 1)) for i in range(300)]
    expected = np.mean([one.coral_chance for one in found])
    assert np.mean([one.coral for one in found]) == pytest.approx(expected, rel=0.2)


@pytest.mark.usefixtures("no_classifier")
def test_p_values_of_equal_domains_are_uniform() -> None:
    p_values = [shift(cloud(60, seed=2 * i), cloud(60, seed=2 * i + 1), seed=i).mmd_p_value for i in range(80)]
    assert np.mean(np.array(p_values) < 0.1) < 0.25
    assert 0.35 < np.mean(p_values) < 0.65


def test_a_distance_is_the_error_of_the_best_line_and_at_most_two() -> None:
    # Two Gaussians a apart are told apart by their middle with an error of Phi(-a / 2): 0.1587 for a = 2.
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(2, 2000, 8)).astype(np.float32)
    target[:, 3] += 2
    assert shift(source, target).a_distance == pytest.approx(2 * (1 - 2 * 0.1587), abs=0.06)
    assert shift(cloud(200), cloud(200, seed=1) + np.float32(100)).a_distance == 2
    # Of few equal points, a line guesses worse than chance, or as well.
    assert all(0 <= shift(cloud(20, seed=i), cloud(20, seed=i + 50)).a_distance <= 2 for i in range(4))


def test_equal_domains_have_no_shift_and_all_measures_grow_with_the_distance() -> None:
    labels = np.arange(1000) % 10
    found = [shift(cloud(1000), cloud(1000, moved=moved, seed=1), labels, labels) for moved in (0, 1, 2, 4)]
    equal, far = found[0], found[-1]
    assert abs(equal.mmd) < 2 * equal.mmd_chance
    assert equal.coral < 3 * equal.coral_chance
    assert equal.a_distance < 0.15
    assert max(equal.class_distances) < 0.5
    for measure in ("mmd", "a_distance"):
        values = [getattr(one, measure) for one in found]
        assert values == sorted(values)
    assert far.mmd_p_value == 1 / 1000
    assert far.mmd > far.mmd_chance > 0
    assert (np.diff([one.class_distances for one in found[1:]], axis=0) > 0).all()


TURN = np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))[0].astype(np.float32)
CHANGES: dict[str, Callable[[Array], Array]] = {
    "repeated": lambda x: np.concatenate([x, x], axis=1),
    "with constants": lambda x: np.pad(x, ((0, 0), (0, 9)), constant_values=3),
    "rotated": lambda x: x @ TURN,
    "scaled": lambda x: np.float32(250) * x,
    "moved": lambda x: x + np.float32(10),
    "permuted": lambda x: x[:, [3, 1, 4, 0, 2]],
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_width_scale_and_direction_of_features_change_nothing(change: str) -> None:
    labels = np.arange(80) % 10
    source, target = cloud(80, 5), cloud(70, 5, moved=1, seed=1)
    plain = shift(source, target, labels, labels[:70])
    found = shift(CHANGES[change](source), CHANGES[change](target), labels, labels[:70])
    for measure in ("mmd", "coral", "coral_chance"):
        assert getattr(found, measure) == pytest.approx(getattr(plain, measure), abs=1e-4)
    assert found.a_distance == pytest.approx(plain.a_distance, abs=0.1)
    np.testing.assert_allclose(found.class_distances, plain.class_distances, atol=1e-3)


def test_the_same_seed_gives_the_same_numbers_of_at_most_two_thousand_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "PERMUTATIONS", 20)
    source, target = cloud(2100), cloud(2050, moved=0.3, seed=1)
    first = shift(source, target, seed=4)
    assert first.sample == 2000
    np.testing.assert_equal(vars(shift(source, target, seed=4)), vars(first))
    assert first.mmd != shift(source, target, seed=5).mmd


def test_class_distances_are_means_over_the_spread_and_absent_classes_have_none() -> None:
    source = np.array([[0, 0], [0, 2], [4, 0], [4, 2], [9, 9], [7, 7], [7, 7]], np.float32)
    target = np.array([[3, 1], [3, 1], [4, 1], [9, 9], [7, 8]], np.float32)
    labels, target_labels = np.array([0, 0, 1, 1, 3, 5, 5]), np.array([0, 0, 1, 3, 5])
    expected = [3, 0, *[math.nan] * 8]  # 3 occurs once in the source, and 5 does not vary
    np.testing.assert_allclose(shift(source, target, labels, target_labels).class_distances, expected, atol=1e-6)
    for given in ((), (labels,)):
        assert all(math.isnan(x) for x in shift(source, target, *given).class_distances)


def test_wide_features_of_few_points_and_hardly_varying_ones_are_measured() -> None:
    points, _ = make_classification(60, 300, random_state=0)
    wide = points.astype(np.float32)
    assert shift(wide[:30], wide[30:]).mmd_p_value > 0.001
    still = np.zeros((40, 5), np.float32)
    still[0] = 1
    found = shift(still, still)
    assert all(math.isfinite(x) for x in (found.mmd, found.coral, found.a_distance))
    assert shift(cloud(2), cloud(2, seed=1)).sample == 2


@pytest.mark.parametrize(
    ("source", "target", "labels", "message"),
    [
        (cloud(9, 3), cloud(9, 4), [], r"\(9, 3\) and \(9, 4\)"),
        (cloud(9), cloud(9)[0], [], r"\(9, 6\) and \(6,\)"),
        (cloud(9), cloud(1), [], "9 and 1"),
        (cloud(9), cloud(9) * np.float32(np.nan), [], "finite"),
        (np.ones((9, 2), np.float32), cloud(9, 2), [], "vary"),
        (cloud(9), cloud(9), [np.zeros(9, np.int64), np.zeros(8, np.int64)], r"\(8,\)"),
    ],
)
def test_features_and_labels_of_other_shapes_or_not_finite_are_refused(
    source: Array, target: Array, labels: list[NDArray[np.int64]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        shift(source, target, *(labels or (None, None)))
