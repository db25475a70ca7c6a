"""Discussions are written by measure and verdict, the largest effects first, and are of bounded length."""

from math import nan

import pytest

from experiments.evaluation.effects import Effect, Topic, Verdict, judge
from experiments.reporting.discussion import analysis, transfer
from experiments.reporting.discussion.template import Template
from experiments.reporting.discussion.text import MOST_NAMED, MOST_ROWS, TEMPLATES, to_markdown, to_text


def effect(what: str, size: float, measure: str = "accuracy", verdict: Verdict = "higher") -> Effect:
    return Effect(what, measure, size, before=0.5, after=0.5 + size, p=1e-20, percent=True, verdict=verdict)


@pytest.fixture(autouse=True)
def templates(monkeypatch: pytest.MonkeyPatch) -> None:
    sentences = ("{model} has {n:,} images.", "It has {missing}.", "{share:.1%} against 50%.")
    monkeypatch.setitem(TEMPLATES, "loss", Template(sentences, ("{model}", "other")))


def table(markdown: str) -> list[list[str]]:
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.replace("\\|", "/").strip("|").split("|")] for line in lines]


def test_topics_become_markdown_with_a_table_of_the_effects() -> None:
    effects = (
        effect("a|b", -0.2, verdict="not significant"),
        Effect("MMD", "distance", 0.12345, verdict="significant"),
    )
    topic = Topic("loss", {"model": "mlp", "n": 1234, "share": 0.7, "unknown": nan}, effects, "mlp on usps")
    first, second = to_markdown([topic, Topic("nothing")]).split("## ")[1:]
    heading, sentences, verdicts, _ = first.strip().split("\n\n")
    assert (heading, sentences) == ("mlp on usps: loss", "mlp has 1,234 images. 70.0 % against 50 %.")
    assert verdicts.splitlines() == [
        "* Not significant (accuracy): a|b (-20.0 points).",
        "* Significant distance: MMD (0.123).",
    ]
    cells = table(first)
    assert cells[0] == ["what", "measure", "mlp", "other", "size", "p", "verdict"]
    assert cells[2] == ["a/b", "accuracy", "50.0 %", "30.0 %", "-20.0 points", "<1e-16", "not significant"]
    assert cells[3] == ["MMD", "distance", "", "", "0.123", "", "significant"]
    assert second == "Nothing\n"


def test_text_names_the_largest_effects_of_a_measure_and_verdict() -> None:
    many = [effect(str(i), 0.01 * i) for i in range(1, MOST_NAMED + 3)]
    (text,) = to_text([Topic("nothing", {}, (*many, effect("all", 0.9, "recall"), effect("none", -0.3, "recall")))])
    first, second = text.split("Higher accuracy: ")[1].split(" Higher recall: ")
    assert first.startswith("7 (+7.0 points); 6 (+6.0 points); ")
    assert first.endswith("3 (+3.0 points) and 2 more.")
    assert second == "all (+90.0 points); none (-30.0 points)."


def test_what_ends_with_a_parenthesis_gets_no_second_one() -> None:
    (text,) = to_text([Topic("nothing", {}, (effect("cnn against mlp (tuned)", 0.1),))])
    assert text.endswith("cnn against mlp (tuned), +10.0 points.")


def test_a_long_table_has_the_largest_effects_of_each_measure() -> None:
    recalls = [effect(f"recall {i}", 0.01 * i, "recall") for i in range(30)]
    rates = [effect(f"rate {i}", -0.001 * i, "rate") for i in range(20)]
    text = to_markdown([Topic("nothing", {}, (effect("all", 0.001), *recalls, *rates))])
    assert [row[0] for row in table(text)[2:]] == [
        "all",
        *(f"recall {i}" for i in range(29, 24, -1)),
        *(f"rate {i}" for i in range(19, 14, -1)),
    ]
    assert text.endswith("40 more in `discussion.json`.\n")


@pytest.mark.parametrize(("n", "rows"), [(MOST_ROWS, MOST_ROWS), (MOST_ROWS + 1, MOST_ROWS), (90, MOST_ROWS)])
def test_a_table_has_few_rows_and_keeps_the_order_of_short_ones(n: int, rows: int) -> None:
    text = to_markdown([Topic("nothing", {}, judge(effect(str(i), 0.01 * i) for i in range(n)))])
    shown = [row[0] for row in table(text)[2:]]
    assert shown == [str(i) for i in (range(n) if n == rows else range(n - 1, n - 1 - rows, -1))]
    assert ("more in" in text) is (n > rows)


def test_analyses_and_transfers_have_topics_of_different_names() -> None:
    assert not analysis.TEMPLATES.keys() & transfer.TEMPLATES.keys()
