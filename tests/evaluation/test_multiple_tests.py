"""Holm's method agrees with values worked out by hand, and keeps false findings as rare as it promises."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.evaluation import holm


@pytest.mark.parametrize(
    ("p_values", "expected"),
    # As R's p.adjust and statsmodels' multipletests have them, worked out by hand.
    [
        ([], []),
        ([0.2], [0.2]),
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.01, 0.02, 0.03, 0.04, 0.05], [0.05, 0.08, 0.09, 0.09, 0.09]),
        ([0.6, 0.001, 0.6], [1.0, 0.003, 1.0]),
        ([0.02, 0.02], [0.04, 0.04]),
    ],
)
def test_values_are_those_by_hand(p_values: list[float], expected: list[float]) -> None:
    assert holm(p_values) == pytest.approx(expected)


def test_what_is_no_number_counts_as_a_test_and_stays_none() -> None:
    adjusted = holm([math.nan, 0.01, 0.04])
    assert math.isnan(adjusted[0])
    assert adjusted[1:] == pytest.approx([0.03, 0.08])


@given(st.lists(st.floats(0, 1)))
def test_no_p_value_becomes_smaller_and_none_larger_than_by_bonferroni(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(p <= q <= min(1, p * len(p_values)) for p, q in zip(p_values, adjusted, strict=True))
    assert [adjusted[i] for i in np.argsort(p_values, kind="stable")] == sorted(adjusted)


def test_false_findings_are_as_rare_as_promised() -> None:
    rng = np.random.default_rng(0)
    found = [min(holm(rng.random(8).tolist())) < 0.05 for _ in range(2000)]
    assert np.mean(found) < 0.06
