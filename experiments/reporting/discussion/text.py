"""Discussions as Markdown and plain text.

>>> from experiments.evaluation.effects import Effect, Topic, judge
>>> effects = judge([Effect("box against resize", "accuracy", 0.21, before=0.7, after=0.91, p=1e-9, percent=True)])
>>> to_text([Topic("alignment", {"best": "box", "best_accuracy": 0.91}, effects)])  # doctest: +NORMALIZE_WHITESPACE
['Alignment. The best alignment in hindsight, selected by the test labels, is `box` (91.0 %).
  Higher accuracy: box against resize (+21.0 points).']
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from math import isnan
from string import Formatter

from experiments.evaluation.effects import Effect, Topic, Verdict
from experiments.reporting.discussion import analysis, transfer
from experiments.reporting.discussion.template import Template
from experiments.results import markdown_table

TEMPLATES: Mapping[str, Template] = {**analysis.TEMPLATES, **transfer.TEMPLATES}

MOST_NAMED = 5  # effects of a measure with the same verdict in the text
MOST_ROWS = 12  # of a table: all digits and each of them, and one more
LEAST_P = 1e-16  # smaller ones are rounding errors

VERDICTS: Mapping[Verdict, str] = {
    "recovers": "Clusters recover the classes ({})",
    "mostly recovers": "Clusters mostly recover the classes ({})",
    "subdivides": "Clusters subdivide the classes ({})",
    "weakly related": "Clusters are weakly related to the classes ({})",
    "unrelated": "Clusters are unrelated to the classes ({})",
    "mixed cluster": "Mixed clusters ({})",
    "split class": "Split classes ({})",
    "lower": "Lower {}",
    "higher": "Higher {}",
    "significant": "Significant {}",
    "same": "Same {}",
    "negligible": "Negligible ({})",
    "not significant": "Not significant ({})",
}
"""Opening words of a list of effects by verdict; the measure is inserted."""


def to_markdown(topics: Iterable[Topic]) -> str:
    """Format topics as Markdown: heading, sentences, lists of effects by measure and verdict, and a table of effects.

    Long tables have the largest effects only.
    """
    parts = []
    for topic in topics:
        verdicts = "\n".join(f"* {line}" for line in _verdicts(topic.effects))
        parts += [f"## {_heading(topic)}", " ".join(_sentences(topic)), verdicts, *_table(topic)]
    return "\n\n".join(part for part in parts if part) + "\n"


def to_text(topics: Iterable[Topic]) -> list[str]:
    """Format topics as plain text without tables, one paragraph each."""
    return [" ".join([f"{_heading(topic)}.", *_sentences(topic), *_verdicts(topic.effects)]) for topic in topics]


def _heading(topic: Topic) -> str:
    return f"{topic.subject}: {topic.name}" if topic.subject else topic.name.capitalize()


def _template(topic: Topic) -> Template:
    """Return the template of a topic: an empty one for a topic of another version, which still has its effects."""
    return TEMPLATES.get(topic.name, Template())


def _sentences(topic: Topic) -> list[str]:
    """Fill in the sentences whose facts are all there."""
    return [_filled(text, topic) for text in _template(topic).sentences if _facts(text) <= topic.facts.keys()]


def _facts(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def _filled(text: str, topic: Topic) -> str:
    return re.sub(r"(?<=\d)%", " %", text.format(**topic.facts))  # Python's own format has no space


def _verdicts(effects: Sequence[Effect]) -> Iterator[str]:
    """Yield a line for each measure and verdict with its effects, the largest first."""
    for measure, group in _by_measure(effects).items():
        for verdict, beginning in VERDICTS.items():
            found = _largest([one for one in group if one.verdict == verdict])
            named = "; ".join(_named(one) for one in found[:MOST_NAMED])
            more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
            if named:
                yield f"{beginning.format(measure)}: {named}{more}."


def _by_measure(effects: Iterable[Effect]) -> dict[str, list[Effect]]:
    groups: dict[str, list[Effect]] = {}
    for one in effects:
        groups.setdefault(one.measure, []).append(one)
    return groups


def _largest(effects: Iterable[Effect]) -> list[Effect]:
    return sorted(effects, key=lambda one: -abs(one.size))


def _named(effect: Effect) -> str:
    """Return an effect with its size, without two parentheses in a row."""
    size = _with_unit(effect)
    return f"{effect.what}, {size}" if effect.what.endswith(")") else f"{effect.what} ({size})"


def _table(topic: Topic) -> Iterator[str]:
    """Yield the effects as a Markdown table, without empty columns, and a line on those that are left out."""
    shown = _shown_in_table(topic.effects)
    if not shown:
        return
    columns = [_filled(column, topic) for column in _template(topic).columns]
    rows = [_row(one) for one in shown]
    headers = ("what", "measure", *columns, "size", "95 % interval", "p", "verdict")
    used = [i for i in range(len(headers)) if any(row[i] for row in rows)]
    yield markdown_table([headers[i] for i in used], [[row[i] for i in used] for row in rows])
    if more := len(topic.effects) - len(shown):
        yield f"… and {more} more in `discussion.json`."


def _shown_in_table(effects: Sequence[Effect]) -> list[Effect]:
    """Return all effects if they fit into a table, else the largest ones: up to the same number of each measure."""
    if len(effects) <= MOST_ROWS:
        return [*effects]
    groups = _by_measure(effects).values()
    limits = range(MOST_ROWS, 1, -1)
    limit = next((n for n in limits if sum(min(len(group), n) for group in groups) <= MOST_ROWS), 1)
    return [*chain.from_iterable(_largest(group)[:limit] for group in groups)]


def _row(effect: Effect) -> tuple[str, ...]:
    interval = "" if isnan(effect.low) else f"{_size(effect, effect.low)} to {_size(effect, effect.high)}"
    return (
        effect.what,
        effect.measure,
        _number(effect.before, effect.percent),
        _number(effect.after, effect.percent),
        _with_unit(effect),
        interval,
        _p_value(effect.p),
        effect.verdict,
    )


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
        return f"{100 * value:.1f} %"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"


def _p_value(p: float) -> str:
    if isnan(p):
        return ""
    return f"{p:.2g}" if p >= LEAST_P else f"<{LEAST_P:g}"
