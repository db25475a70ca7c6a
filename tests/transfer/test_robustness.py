"""Errors relative to a baseline, and intervals that hold what they promise where the same digits come several times."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.datasets.corruptions import CORRUPTIONS
from experiments.evaluation import wilson_interval
from experiments.transfer.robustness import correct_by_corruption, interval_over_variants, mean_corruption_error


def test_digits_are_told_apart_by_corruption() -> None:
    labels = np.tile([3, 1, 4, 1], len(CORRUPTIONS))
    predicted = labels.copy()
    predicted[4 * 2 + 1] = 7
    right = correct_by_corruption(labels, predicted)
    assert list(right) == list(CORRUPTIONS)
    wrong = [(name, int(i)) for name, one in right.items() for i in np.flatnonzero(~one)]
    assert wrong == [(list(CORRUPTIONS)[2], 1)]


def test_digits_that_are_no_whole_number_of_views_are_refused() -> None:
    with pytest.raises(ValueError, match="31 images cannot be divided evenly among 15 corruptions"):
        correct_by_corruption(np.zeros(31, np.int64), np.zeros(31, np.int64))


def test_the_mean_corruption_error_is_that_of_ratios() -> None:
    # 0.1 / 0.2 and 0.3 / 0.1
    assert mean_corruption_error({"fog": 0.9, "scale": 0.7}, {"fog": 0.8, "scale": 0.9}) == pytest.approx(1.75)


@given(st.dictionaries(st.sampled_from(list(CORRUPTIONS)), st.floats(0, 1), min_size=1))
def test_the_baseline_itself_has_an_error_of_one(accuracies: dict[str, float]) -> None:
    error = mean_corruption_error(accuracies, accuracies)
    assert math.isnan(error) if set(accuracies.values()) == {1.0} else error == pytest.approx(1)


def test_what_costs_the_baseline_nothing_is_left_out() -> None:
    assert mean_corruption_error({"fog": 0.9, "scale": 0.7}, {"fog": 0.8, "scale": 1.0}) == pytest.approx(0.5)
    assert math.isnan(mean_corruption_error({"fog": 0.9}, {"fog": 1.0}))


@given(n=st.integers(1, 50), seed=st.integers(0, 2**32 - 1), share=st.floats(0, 1))
def test_of_one_view_it_is_wilson_s_interval(n: int, seed: int, share: float) -> None:
    correct = np.random.default_rng(seed).random((1, n)) < share
    assert interval_over_variants(correct) == pytest.approx(wilson_interval(int(correct.sum()), n))


def test_views_that_are_the_same_add_nothing_and_views_that_are_independent_all_they_are() -> None:
    rng = np.random.default_rng(0)
    one = rng.random((1, 500)) < 0.9
    assert interval_over_variants(np.repeat(one, 15, axis=0)) == pytest.approx(interval_over_variants(one), abs=1e-4)
    many = rng.random((15, 500)) < 0.9
    assert interval_over_variants(many) == pytest.approx(wilson_interval(int(many.sum()), many.size), abs=2e-3)


def test_each_digit_missed_once_is_no_certainty() -> None:
    correct = ~np.eye(15, dtype=bool)
    assert interval_over_variants(correct) == pytest.approx(wilson_interval(15 * 14, 15 * 15))


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("n", [1, 20])
def test_where_all_are_alike_there_is_still_doubt(right: bool, n: int) -> None:
    low, high = interval_over_variants(np.full((15, n), right))
    assert (low, high) == wilson_interval(n * right, n)


@given(views=st.integers(1, 15), n=st.integers(1, 30), seed=st.integers(0, 2**32 - 1), share=st.floats(0, 1))
def test_the_accuracy_lies_within(views: int, n: int, seed: int, share: float) -> None:
    correct = np.random.default_rng(seed).random((views, n)) < share
    low, high = interval_over_variants(correct)
    assert 0 <= low <= correct.mean() <= high <= 1


@pytest.mark.parametrize(
    ("n", "accuracy", "spread"), [(60, 0.97, 0.1), (200, 0.9, 0.3), (500, 0.7, 2.0), (100, 0.5, 9.0)]
)
def test_it_covers_the_truth_in_95_of_100_samples(n: int, accuracy: float, spread: float) -> None:
    # Digits differ in how often they are recognised, by a beta distribution: the smaller its sum, the more.
    rng, samples = np.random.default_rng(0), 1500
    easiness = rng.beta(accuracy / spread, (1 - accuracy) / spread, (samples, n))
    correct = rng.random((samples, 15, n)) < easiness[:, None]
    intervals = np.array([interval_over_variants(one) for one in correct])
    covered = ((intervals[:, 0] <= accuracy) & (accuracy <= intervals[:, 1])).mean()
    assert 0.92 < covered < 0.985
