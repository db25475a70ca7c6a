"""McNemar's test agrees with exact arithmetic, Holm's method with its definition."""

import math
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from experiments.evaluation import compare, mcnemar, measure


def one_hot(digits: list[int]) -> NDArray[np.float64]:
    return np.eye(10)[digits]


def correctness(both: int, only_a: int, only_b: int, neither: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    counts = [both, only_a, only_b, neither]
    return np.repeat([True, True, False, False], counts), np.repeat([True, False, True, False], counts)


@settings(deadline=None)
@given(st.integers(0, 20), st.integers(0, 60), st.integers(0, 60), st.integers(0, 20))
def test_p_value_is_the_exact_binomial_one(both: int, only_a: int, only_b: int, neither: int) -> None:
    result = mcnemar(*correctness(both + 1, only_a, only_b, neither))
    n = only_a + only_b
    tail = sum(math.comb(n, k) for k in range(min(only_a, only_b) + 1))
    assert (result.only_a, result.only_b) == (only_a, only_b)
    assert result.p_value == pytest.approx(float(min(Fraction(1), Fraction(2 * tail, 2**n))))


def test_p_value_is_the_published_one() -> None:
    # Fagerland, Lydersen & Laake 2013 (doi:10.1186/1471-2288-13-91): airway hyper-responsiveness.
    assert mcnemar(*correctness(1, 1, 7, 12)).p_value == pytest.approx(0.0703, abs=5e-5)


def test_models_that_never_differ_are_not_told_apart() -> None:
    assert mcnemar(*correctness(3, 0, 0, 2)).p_value == 1.0


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (np.array([True]), np.array([True, False]), r"received \(1,\) and \(2,\)"),
        (np.array([[True]]), np.array([[True]]), r"received \(1, 1\)"),
        (np.array([1, 0]), np.array([True, False]), "received int64 and bool"),
    ],
)
def test_malformed_correctness_is_refused(a: NDArray[np.bool_], b: NDArray[np.bool_], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mcnemar(a, b)


def test_comparison_has_each_model_and_each_pair() -> None:
    labels = np.array([0, 1, 2, 3, 4])
    guesses = {"mlp": [0, 9, 9, 9, 4], "cnn": [0, 1, 2, 9, 4], "lenet": [0, 9, 2, 9, 9]}
    result = compare(labels, {name: one_hot(digits) for name, digits in guesses.items()})
    assert list(result.rows) == ["mlp", "cnn", "lenet"]
    assert {name: row.accuracy for name, row in result.rows.items()} == {"mlp": 0.4, "cnn": 0.8, "lenet": 0.4}
    assert result.rows["cnn"].results() == measure(labels, one_hot(guesses["cnn"])).results()
    assert [(pair.a, pair.b) for pair in result.pairs] == list(combinations(guesses, 2))
    assert [(pair.test.only_a, pair.test.only_b) for pair in result.pairs] == [(0, 2), (1, 1), (2, 0)]
    assert result.missed_by_all.tolist() == [3]
    assert result.missed_by_all.dtype == np.int64


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 5))
def test_holm_rejects_what_the_step_down_procedure_rejects(seed: int, models: int) -> None:
    generator = np.random.default_rng(seed)
    labels = np.zeros(60, np.int64)
    skills = generator.uniform(0, 1, models)
    guesses = {f"m{i}": one_hot((generator.random(60) > skill).astype(int).tolist()) for i, skill in enumerate(skills)}
    pairs = compare(labels, guesses).pairs
    level = 0.05
    remaining = sorted(pairs, key=lambda pair: pair.test.p_value)
    rejected = set()
    while remaining and remaining[0].test.p_value * len(remaining) <= level:
        rejected.add(remaining.pop(0))
    assert {pair for pair in pairs if pair.p_holm <= level} == rejected
    assert all(pair.test.p_value <= pair.p_holm <= 1 for pair in pairs)


def test_one_model_has_no_pairs() -> None:
    result = compare(np.array([1, 2]), {"cnn": one_hot([1, 3])})
    assert result.pairs == ()
    assert result.missed_by_all.tolist() == [1]


def test_no_model_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one model, received none"):
        compare(np.array([1]), {})
