"""Effects with their verdicts, grouped by topic: the discussion of results as data.

Its text is made by `experiments.reporting.discussion`, so that a change of wording changes no result.

>>> effects = judge([Effect("box", "accuracy", 0.21, before=0.7, after=0.91, p=1e-9, percent=True)])
>>> effects[0].verdict
'higher'
>>> from_json(to_json([Topic("alignment", {"first": "resize"}, effects)]))[0].effects == effects
True
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from math import isnan, nan
from typing import Any, Literal

from experiments.evaluation.multiple_tests import SIGNIFICANT, holm

Verdict = Literal[
    "recovers", "mostly recovers", "subdivides", "weakly related", "unrelated", "mixed cluster", "split class",
    "lower", "higher", "significant", "same", "negligible", "not significant",
]  # fmt: skip
Fact = str | float


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
        ``higher`` and ``lower`` are significant, or beyond a stated bound; ``significant`` is an effect that compares
        no two values, such as a distance; ``negligible`` is significant but small; ``same`` is within a stated bound.
        The first seven describe clusters.
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
    if isnan(effect.before):
        return "significant"
    return "higher" if effect.size > 0 else "lower"


def bounded(what: str, measure: str, before: float, after: float, bound: float, percent: bool = False) -> Effect:
    """Build the effect of two values that are called the same if they differ by less than a bound."""
    size = after - before
    verdict: Verdict = "same" if abs(size) < bound else "higher" if size > 0 else "lower"
    return Effect(what, measure, size, before=before, after=after, verdict=verdict, percent=percent)


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
