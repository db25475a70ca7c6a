"""Effects with their verdicts, grouped by topic: the discussion of results as data, Markdown and plain text.

>>> effects = judge([Effect("box", "accuracy", 0.21, before=0.7, after=0.91, p=1e-9, percent=True)])
>>> templates = {"alignment": ("`{first}` has {accuracy:.1%}.", "It was aligned by {other}.")}
>>> to_text([Topic("alignment", {"first": "resize", "accuracy": 0.7}, effects)], templates)
['Alignment. `resize` has 70.0%. Higher: box (+21.0 points).']
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import isnan, nan
from string import Formatter
from typing import Any, Literal, get_args

from experiments.evaluation.multiple_tests import SIGNIFICANT, holm
from experiments.results import markdown_table

Verdict = Literal[
    "recovers", "mostly recovers", "subdivides", "weakly related", "unrelated", "mixed cluster", "split class",
    "lower", "higher", "same", "negligible", "not significant",
]  # fmt: skip
Fact = str | float
Template = tuple[str, ...]
"""Sentences with facts in braces. A sentence is used only if the topic has all of its facts."""

MOST_NAMED = 5  # effects with the same verdict in the text; the table has all
LEAST_P = 1e-16  # smaller ones are rounding errors


@dataclass(frozen=True)
class Effect:
    """A difference or another measured effect, and its verdict. Numbers that do not apply are NaN.

    Attributes
    ----------
    what, measure
        What is compared (``digit 9``), and by which measure (``recall``).
    size
        `after` minus `before`, or the value of the measure.
    low, high
        Bounds of a 95 % interval of the size.
    before, after
        The values that are compared.
    p
        p value, after Holm's correction once the effect is judged.
    verdict
        ``higher`` and ``lower`` are significant, or beyond a stated bound; ``negligible`` is significant but small;
        ``same`` is within a stated bound. The first seven describe clusters.
    percent
        Whether the numbers are proportions.
    """

    what: str
    measure: str
    size: float
    low: float = nan
    high: float = nan
    before: float = nan
    after: float = nan
    p: float = nan
    verdict: Verdict = "not significant"
    percent: bool = False


@dataclass(frozen=True)
class Topic:
    """A part of a discussion: its name, which is the key of its template, facts for the template, and effects.

    `subject` is what a topic is about if several have the same name.
    """

    name: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    effects: tuple[Effect, ...] = ()
    subject: str = ""


def judge(
    family: Iterable[Effect], is_notable: Callable[[Effect], bool] = lambda effect: effect.size != 0
) -> tuple[Effect, ...]:
    """Adjust the p values of all effects that are tested together by Holm's method, and set their verdicts.

    Significant effects that are not notable are ``negligible``.
    """
    effects = [*family]
    adjusted = holm([effect.p for effect in effects])
    return tuple(
        replace(effect, p=p, verdict=_verdict(effect, p, is_notable))
        for effect, p in zip(effects, adjusted, strict=True)
    )


def _verdict(effect: Effect, p: float, is_notable: Callable[[Effect], bool]) -> Verdict:
    if not p < SIGNIFICANT:
        return "not significant"
    if not is_notable(effect):
        return "negligible"
    return "higher" if effect.size > 0 else "lower"


def bounded(what: str, measure: str, before: float, after: float, bound: float, percent: bool = False) -> Effect:
    """Build the effect of two values that are called the same if they differ by less than a bound."""
    size = after - before
    verdict: Verdict = "same" if abs(size) < bound else "higher" if size > 0 else "lower"
    return Effect(what, measure, size, before=before, after=after, verdict=verdict, percent=percent)


def to_markdown(topics: Iterable[Topic], templates: Mapping[str, Template]) -> str:
    """Format topics as Markdown: heading, sentences, a list of the effects by verdict, and a table of the effects."""
    parts = []
    for topic in topics:
        verdicts = "\n".join(f"* {line}" for line in _verdicts(topic.effects))
        sentences = " ".join(_sentences(topic, templates))
        parts += [f"## {_heading(topic)}", sentences, verdicts, _table(topic.effects)]
    return "\n\n".join(part for part in parts if part) + "\n"


def to_text(topics: Iterable[Topic], templates: Mapping[str, Template]) -> list[str]:
    """Format topics as plain text without tables, one paragraph each."""
    return [
        " ".join([f"{_heading(topic)}.", *_sentences(topic, templates), *_verdicts(topic.effects)]) for topic in topics
    ]


def to_json(topics: Iterable[Topic]) -> list[dict[str, Any]]:
    """Return topics as JSON values, with null for NaN; `from_json` reads them."""
    return [
        {**vars(one), "facts": _without_nan(one.facts), "effects": [_without_nan(asdict(x)) for x in one.effects]}
        for one in topics
    ]


def from_json(values: Iterable[Mapping[str, Any]]) -> tuple[Topic, ...]:
    """Read topics from the JSON values of `to_json`."""
    return tuple(
        Topic(
            one["name"], _with_nan(one["facts"]), tuple(Effect(**_with_nan(x)) for x in one["effects"]), one["subject"]
        )
        for one in values
    )


def _without_nan(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: None if isinstance(value, float) and isnan(value) else value for name, value in values.items()}


def _with_nan(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: nan if value is None else value for name, value in values.items()}


def _heading(topic: Topic) -> str:
    return f"{topic.subject}: {topic.name}" if topic.subject else topic.name.capitalize()


def _sentences(topic: Topic, templates: Mapping[str, Template]) -> list[str]:
    return [text.format(**topic.facts) for text in templates[topic.name] if _names(text) <= topic.facts.keys()]


def _names(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def _verdicts(effects: Sequence[Effect]) -> list[str]:
    """Return a line for each verdict with its effects, the largest first."""
    lines = []
    for verdict in get_args(Verdict):
        found = sorted((one for one in effects if one.verdict == verdict), key=lambda one: -abs(one.size))
        named = [f"{one.what} ({_with_unit(one)})" for one in found[:MOST_NAMED]]
        more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        lines += [f"{verdict.capitalize()}: {', '.join(named)}{more}."] if named else []
    return lines


def _table(effects: Sequence[Effect]) -> str:
    """Format effects as a Markdown table, without columns that are empty."""
    if not effects:
        return ""
    rows = [
        {
            "what": one.what,
            "measure": one.measure,
            "before": _number(one.before, one.percent),
            "after": _number(one.after, one.percent),
            "size": _with_unit(one),
            "95% interval": "" if isnan(one.low) else f"{_size(one, one.low)} to {_size(one, one.high)}",
            "p": _p_value(one.p),
            "verdict": one.verdict,
        }
        for one in effects
    ]
    columns = [column for column in rows[0] if any(row[column] for row in rows)]
    return markdown_table(columns, [[row[column] for column in columns] for row in rows])


def _with_unit(effect: Effect) -> str:
    is_difference = not isnan(effect.before)
    return _size(effect, effect.size) + (" points" if effect.percent and is_difference else "")


def _size(effect: Effect, size: float) -> str:
    """Format the size of an effect, or a bound of it: with a sign if it is a difference, of percentages in points."""
    if isnan(effect.before):
        return _number(size, effect.percent)
    return f"{100 * size:+.1f}" if effect.percent else ("+" if size > 0 else "") + _number(size, percent=False)


def _number(value: float, percent: bool) -> str:
    if isnan(value):
        return ""
    if percent:
        return f"{value:.1%}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"


def _p_value(p: float) -> str:
    if isnan(p):
        return ""
    return f"{p:.2g}" if p >= LEAST_P else f"<{LEAST_P:g}"
