"""Effects get their verdicts as families, and survive JSON."""

import json
from math import isnan, nan

import pytest

from experiments.evaluation.effects import (
    Effect,
    Topic,
    bounded,
    from_json,
    judge,
    to_json,
)


def effect(what: str, size: float, p: float) -> Effect:
    return Effect(what, "accuracy", size, before=0.5, after=0.5 + size, p=p, percent=True)


def test_a_family_is_corrected_together() -> None:
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


@pytest.mark.parametrize("size", [0.1, -0.1])
def test_an_effect_that_compares_no_two_values_is_significant(size: float) -> None:
    (found,) = judge([Effect("loss", "rank correlation", size, p=1e-6)])
    assert found.verdict == "significant"


@pytest.mark.parametrize(("after", "verdict"), [(0.5, "same"), (0.59, "same"), (0.61, "higher"), (0.39, "lower")])
def test_values_within_a_bound_are_the_same(after: float, verdict: str) -> None:
    found = bounded("a", "accuracy", 0.5, after, bound=0.1)
    assert found.verdict == verdict
    assert found.size == pytest.approx(after - 0.5)


TOPICS = (
    Topic(
        "loss",
        {"model": "mlp", "n": 1234, "unknown": nan},
        (effect("a|b", -0.2, 1e-20), Effect("MMD", "squared MMD", 0.12345, verdict="higher")),
        "mlp on usps",
    ),
    Topic("nothing"),
)


def test_topics_are_the_same_after_json() -> None:
    text = json.dumps(to_json(TOPICS), allow_nan=False)
    assert from_json(json.loads(text)) == TOPICS
