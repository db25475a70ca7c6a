"""Correctness by corruption, and errors relative to a baseline."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.datasets.corruptions import CORRUPTIONS
from experiments.transfer.robustness import correct_by_corruption, mean_corruption_error


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
