"""Effects get their verdicts as families, are written in order of size, and survive JSON."""

import json
from math import isnan, nan

import pytest

from experiments.evaluation.effects import (
    MOST_NAMED,
    Effect,
    Topic,
    bounded,
    from_json,
    judge,
    to_json,
    to_markdown,
    to_text,
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
TEMPLATES = {"loss": ("{model} has {n:,} images.", "It has {missing}."), "nothing": ("There is nothing.",)}


def test_topics_become_markdown_with_a_table_of_the_effects() -> None:
    first, second = to_markdown(TOPICS, TEMPLATES).split("## ")[1:]
    heading, sentences, verdicts, table = first.strip().split("\n\n")
    assert (heading, sentences) == ("mlp on usps: loss", "mlp has 1,234 images.")
    assert verdicts.splitlines() == ["* Higher: MMD (0.123).", "* Not significant: a|b (-20.0 points)."]
    cells = [[cell.strip() for cell in line.replace("\\|", "/").strip("|").split("|")] for line in table.splitlines()]
    assert cells[0] == ["what", "measure", "before", "after", "size", "p", "verdict"]
    assert cells[2] == ["a/b", "accuracy", "50.0%", "30.0%", "-20.0 points", "<1e-16", "not significant"]
    assert cells[3] == ["MMD", "squared MMD", "", "", "0.123", "", "higher"]
    assert second == "Nothing\n\nThere is nothing.\n"


def test_text_names_the_largest_effects_of_a_verdict() -> None:
    many = judge(effect(str(i), 0.01 * i, 1e-9) for i in range(1, MOST_NAMED + 3))
    (text,) = to_text([Topic("nothing", {}, many)], TEMPLATES)
    assert text.startswith("Nothing. There is nothing. Higher: 7 (+7.0 points), 6 (+6.0 points)")
    assert text.endswith("3 (+3.0 points) and 2 more.")


def test_topics_are_the_same_after_json() -> None:
    text = json.dumps(to_json(TOPICS), allow_nan=False)
    assert from_json(json.loads(text)) == TOPICS
