"""Attributes differ where digits were changed, and nowhere else."""

import numpy as np
import pytest

from experiments.analysis.attribute_tests import differences, leanings
from experiments.analysis.image_attributes import ATTRIBUTES


@pytest.mark.parametrize(("shift", "verdict"), [(2.0, "higher"), (-2.0, "lower"), (0.25, "negligible")])
def test_a_changed_attribute_differs_by_the_change(shift: float, verdict: str) -> None:
    rng = np.random.default_rng(4)
    labels, top = rng.integers(0, 10, 20_000), np.arange(2000)
    values = labels + rng.normal(size=20_000)
    values[top] += shift
    (effect,) = differences({"thickness": values}, labels, top)
    assert effect.verdict == verdict
    assert effect.size == pytest.approx(shift, abs=0.1)


@pytest.mark.parametrize("seed", range(20))
def test_attributes_of_random_digits_do_not_differ(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, 1000)
    values = {name: rng.normal(size=1000) for name in ATTRIBUTES}
    top = rng.permutation(1000)[:100]
    effects = differences(values, labels, top) + leanings(values, labels, top, rng.integers(0, 10, 100))
    assert len(effects) == 2 * len(ATTRIBUTES)
    assert {effect.verdict for effect in effects} == {"not significant"}


def test_a_difference_between_classes_is_no_difference_within_them() -> None:
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 10, 1000)
    values = 5.0 * labels + rng.normal(size=1000)
    (effect,) = differences({"thickness": values}, labels, np.flatnonzero(labels == 9)[:60])
    assert effect.verdict == "not significant"
    assert abs(effect.size) < 0.3


def test_digits_lean_towards_the_class_that_they_are_moved_to() -> None:
    rng = np.random.default_rng(6)
    labels, top = np.repeat([1, 7], 500), np.arange(50)
    values = np.where(labels == 1, 0.0, 10.0) + rng.normal(size=1000)
    values[top] += 2
    (towards,) = leanings({"thickness": values}, labels, top, np.full(50, 7))
    assert towards.verdict == "significant"
    assert towards.size > 1
    values[top] -= 4
    (away,) = leanings({"thickness": values}, labels, top, np.full(50, 7))
    assert away.verdict == "not significant"


def test_unusual_loops_are_counted_against_the_mode_of_the_class() -> None:
    labels, top = np.repeat([0, 1], 500), np.arange(60)
    loops = np.where(labels == 0, 1.0, 0.0)
    loops[top[:40]] = 0
    (effect,) = differences({"loops": loops}, labels, top)
    assert effect.verdict == "higher"
    assert (effect.before, effect.after) == pytest.approx((0, 2 / 3))


def test_few_digits_are_not_tested() -> None:
    labels, values = np.zeros(100, np.int64), {"thickness": np.arange(100.0)}
    assert differences(values, labels, np.arange(9)) == ()
    assert differences(values, labels, np.arange(95)) == ()
    assert leanings(values, labels, np.arange(9), np.zeros(9, np.int64)) == ()
