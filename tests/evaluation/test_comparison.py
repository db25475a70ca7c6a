"""Models are compared by exact tests and Holm's method, effects judged, and members of an ensemble joined."""

import json
import math
from collections import Counter
from fractions import Fraction
from itertools import combinations
from math import isnan, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from experiments.evaluation import compare, ensemble, holm, mcnemar, measure
from experiments.evaluation.effects import Effect, Topic, bounded, from_json, judge, to_json


def one_hot(digits: list[int]) -> NDArray[np.float64]:
    return np.eye(10)[digits]


def correctness(both: int, only_a: int, only_b: int, neither: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    counts = [both, only_a, only_b, neither]
    return np.repeat([True, True, False, False], counts), np.repeat([True, False, True, False], counts)


@given(st.integers(0, 20), st.integers(0, 60), st.integers(0, 60), st.integers(0, 20))
def test_p_value_is_the_exact_binomial_one(both: int, only_a: int, only_b: int, neither: int) -> None:
    result = mcnemar(*correctness(both + 1, only_a, only_b, neither))
    n = only_a + only_b
    tail = sum(math.comb(n, k) for k in range(min(only_a, only_b) + 1))
    assert (result.only_a, result.only_b) == (only_a, only_b)
    assert result.p_value == pytest.approx(float(min(Fraction(1), Fraction(2 * tail, 2**n))))


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


def test_a_comparison_has_each_model_and_each_pair() -> None:
    labels = np.array([0, 1, 2, 3, 4])
    guesses = {"mlp": [0, 9, 9, 9, 4], "cnn": [0, 1, 2, 9, 4], "lenet": [0, 9, 2, 9, 9]}
    result = compare(labels, {name: one_hot(digits) for name, digits in guesses.items()})
    assert {name: row.accuracy for name, row in result.rows.items()} == {"mlp": 0.4, "cnn": 0.8, "lenet": 0.4}
    assert list(result.rows) == list(guesses)
    assert result.rows["cnn"].results() == measure(labels, one_hot(guesses["cnn"])).results()
    assert [(pair.a, pair.b) for pair in result.pairs] == list(combinations(guesses, 2))
    assert [(pair.test.only_a, pair.test.only_b) for pair in result.pairs] == [(0, 2), (1, 1), (2, 0)]
    assert [pair.p_holm for pair in result.pairs] == holm([pair.test.p_value for pair in result.pairs])
    assert result.missed_by_all.tolist() == [3]
    assert result.missed_by_all.dtype == np.int64


def test_one_model_has_no_pairs_and_none_is_refused() -> None:
    result = compare(np.array([1, 2]), {"cnn": one_hot([1, 3])})
    assert result.pairs == ()
    assert result.missed_by_all.tolist() == [1]
    with pytest.raises(ValueError, match="none"):
        compare(np.array([1]), {})


@pytest.mark.parametrize(
    ("p_values", "expected"),
    # As R's p.adjust and statsmodels' multipletests have them, worked out by hand.
    [
        ([], []),
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.6, 0.001, 0.6], [1.0, 0.003, 1.0]),
        # What is no number counts as a test and stays none.
        ([nan, 0.01, 0.04], [nan, 0.03, 0.08]),
    ],
)
def test_holms_values_are_those_by_hand(p_values: list[float], expected: list[float]) -> None:
    assert holm(p_values) == pytest.approx(expected, nan_ok=True)


@given(st.lists(st.floats(0, 1)), st.floats(0.001, 0.5))
def test_holm_rejects_what_the_step_down_procedure_rejects(p_values: list[float], level: float) -> None:
    adjusted = holm(p_values)
    remaining, rejected = sorted(range(len(p_values)), key=p_values.__getitem__), set()
    while remaining and p_values[remaining[0]] * len(remaining) <= level:
        rejected.add(remaining.pop(0))
    assert {i for i, p in enumerate(adjusted) if p <= level} == rejected
    assert all(p <= q <= 1 for p, q in zip(p_values, adjusted, strict=True))


def effect(what: str, size: float, p: float) -> Effect:
    return Effect(what, "accuracy", size, before=0.5, after=0.5 + size, p=p, percent=True)


def test_a_family_of_effects_is_corrected_together() -> None:
    family = judge([effect("a", 0.1, 0.004), effect("b", -0.1, 0.001), effect("c", 0.1, 0.006)])
    assert [one.p for one in family] == pytest.approx([0.008, 0.003, 0.008])
    assert [one.verdict for one in family] == ["higher", "lower", "higher"]
    larger = judge([effect("a", 0.1, 0.004), effect("b", -0.1, 0.001), *(effect("c", 0.1, 0.5) for _ in range(3))])
    assert [one.verdict for one in larger] == ["not significant", "lower", *["not significant"] * 3]
    assert judge([]) == ()


def test_effects_without_a_test_and_small_ones_are_not_called_higher() -> None:
    unknown, small = judge([effect("a", 0.1, nan), effect("b", 0.1, 1e-6)], lambda one: one.size > 0.2)
    assert (unknown.verdict, small.verdict) == ("not significant", "negligible")
    assert isnan(unknown.p)
    # One that compares no two values is significant.
    assert {judge([Effect("loss", "rank correlation", size, p=1e-6)])[0].verdict for size in (0.1, -0.1)} == {
        "significant"
    }


@pytest.mark.parametrize(("after", "verdict"), [(0.5, "same"), (0.59, "same"), (0.61, "higher"), (0.39, "lower")])
def test_values_within_a_bound_are_the_same(after: float, verdict: str) -> None:
    found = bounded("a", "accuracy", 0.5, after, bound=0.1)
    assert found.verdict == verdict
    assert found.size == pytest.approx(after - 0.5)


def test_topics_are_the_same_after_json() -> None:
    effects = (effect("a|b", -0.2, 1e-20), Effect("MMD", "squared MMD", 0.12345, verdict="higher"))
    topics = (Topic("loss", {"model": "mlp", "n": 1234, "unknown": nan}, effects, "mlp on usps"), Topic("nothing"))
    assert from_json(json.loads(json.dumps(to_json(topics), allow_nan=False))) == topics


def distributions(seed: int, members: int, n: int) -> NDArray[np.float64]:
    """Return the probabilities that some models predict for some images, float64 (members, n, 10)."""
    return np.random.default_rng(seed).dirichlet(np.full(10, 0.3), (members, n))


MANY = st.builds(distributions, st.integers(0, 2**32 - 1), st.integers(2, 7), st.integers(1, 30))


@given(said=MANY)
def test_it_is_the_mean_and_votes_for_a_digit_that_most_favour_and_of_these_the_most_probable(
    said: NDArray[np.float64],
) -> None:
    together = ensemble(list(said))
    np.testing.assert_allclose(together.probabilities, said.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(together.probabilities.sum(axis=1), 1, atol=1e-6)
    assert together.probabilities.dtype == np.float32
    for i, vote in enumerate(together.votes.tolist()):
        counts = Counter(said[:, i].argmax(axis=1).tolist())
        best = [digit for digit, count in counts.items() if count == max(counts.values())]
        assert vote == max(best, key=lambda digit: said[:, i, digit].mean())


def test_votes_and_mean_may_differ() -> None:
    sure, unsure = np.eye(10)[[3]], np.full((1, 10), 0.04)
    unsure[0, [3, 5]] = 0.33, 0.35
    together = ensemble([sure, unsure, unsure])
    assert together.probabilities.argmax(axis=1).tolist() == [3]
    assert together.votes.tolist() == [5]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([np.eye(10)], "received 1$"),
        ([np.eye(10), np.eye(10)[:9]], r"\(10, 10\), received \(9, 10\)"),
        ([np.eye(10), 2 * np.eye(10)], r"\[0, 1\]"),
    ],
)
def test_what_is_no_ensemble_is_refused(members: list[NDArray[np.float64]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ensemble(members)
