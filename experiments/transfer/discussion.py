"""The discussion of models in target domains: their losses, what these are associated with, and what recovers them.

Differences are tested at the 1 % level, after Holm's correction for the family of tests.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import isfinite

import numpy as np

from experiments.datasets import CLASSES
from experiments.evaluation.effects import Effect, Fact, Topic, Verdict, judge
from experiments.evaluation.multiple_tests import SIGNIFICANT
from experiments.results import ALIGN, SOURCE_ONLY
from experiments.transfer.alignments import DESKEWED_ALIGNMENTS
from experiments.transfer.domain_result import DomainResult
from experiments.transfer.model_comparison import Proportions, compare
from experiments.transfer.predictions import mean_entropy
from experiments.transfer.proportions import (
    Proportion,
    change,
    closes_less,
    difference_interval,
    paired_change,
    proportion_of,
    rank_correlation,
)
from experiments.transfer.shift import Shift

KEPT = 0.05  # maximum loss of recall of a class that keeps its accuracy
LEAST_KEPT = 0.9  # minimum source recall of such a class
LEAST_KNOWN = 30  # minimum number of its independent images in each domain
LEAST_PAIR = 5  # minimum number of independent images of a confusion
# Multiple of its mean that a weighted sum of squared normal variables exceeds in at most 1 % of cases, for any weights
# (Szekely & Bakirov 2003, "Extremal probabilities for Gaussian quadratic forms"): that of a single variable.
SIGNIFICANT_MULTIPLE = 6.64
BOX = "box"  # MNIST's own procedure: the alignment that is compared with the first, fixed in advance
HALF = 0.5  # of a gap: what closes that much may explain it
PLACING = ("scale", "translate")  # corruptions of size and position, which alignment undoes


def discuss(results: Sequence[DomainResult]) -> tuple[Topic, ...]:
    """Discuss each model in each target, and compare the models with the same source and target."""
    results = _with_distinct_labels(results)
    routes: dict[tuple[str, str], list[DomainResult]] = {}
    for result in results:
        routes.setdefault((result.source, result.target.name), []).append(result)
    topics: list[Topic] = []
    for (source, target), group in routes.items():
        corrupted = {
            one.model: _corruptions(one) for one in results if one.source == source and one.is_corrupted_source
        }
        for one in group:
            subject, facts = f"{one.label} on {target}", {"source": source, "target": target}
            found = _labeled(one, corrupted.get(one.model, {})) if one.source_only.metrics else _unlabeled(one)
            topics += (replace(topic, subject=subject, facts={**facts, **topic.facts}) for topic in found)
        if len(group) > 1 and group[0].source_only.metrics:
            topics += compare(group, corrupted)
    return tuple(topics)


def _with_distinct_labels(results: Sequence[DomainResult]) -> list[DomainResult]:
    """Return the results with the version as label where several versions have the same one."""
    versions: dict[str, set[str]] = {}
    for one in results:
        versions.setdefault(one.label, set()).add(one.model)
    return [one if len(versions[one.label]) == 1 else replace(one, label=one.model) for one in results]


def _corruptions(one: DomainResult) -> Proportions:
    """Return the accuracy under each corruption of a model in its corrupted source."""
    n = one.source_metrics.n
    return {name: Proportion(round(accuracy * n), n) for name, accuracy in one.corruption_accuracies.items()}


def _labeled(one: DomainResult, corrupted: Proportions) -> Iterator[Topic]:
    yield _accuracy(one)
    yield from _confusions(one)
    if one.shift and isfinite(one.shift.mmd):
        yield _shift(one, one.shift)
    yield from _alignment(one)
    if corrupted:
        effects = judge(change(name, "accuracy", one.accuracies[0], share) for name, share in corrupted.items())
        placing = [effect.what for effect in effects if effect.what in PLACING and effect.verdict == "lower"]
        yield Topic("corruptions", {"placing": " and ".join(placing)} if placing and _closes_half(one) else {}, effects)
    methods = {name: found for name, found in one.methods.items() if name not in (SOURCE_ONLY, ALIGN)}
    if methods:
        start, variants = one.correct(), one.target.variants
        adapted = (paired_change(name, start, one.correct(found), variants) for name, found in methods.items())
        yield Topic("adaptation", effects=judge(adapted))


def _accuracy(one: DomainResult) -> Topic:
    recalls, (source, target) = one.recalls, one.accuracies
    facts: dict[str, Fact] = {"accuracy": target.value, "source_accuracy": source.value}
    classes = [*judge(change(f"digit {digit}", "recall", *pair) for digit, pair in recalls.items())]
    for i, pair in enumerate(recalls.values()):
        if classes[i].verdict == "not significant" and _is_kept(*pair, len(recalls)):
            classes[i] = replace(classes[i], verdict="same")
            facts["kept"] = KEPT
    if (variants := one.target.variants) > 1:
        facts |= {"variants": variants, "images": target.n // variants, "weight": round(target.weight)}
    known = np.flatnonzero(one.source_metrics.confusion.sum(axis=1)).tolist()
    if missing := [str(digit) for digit in known if digit not in recalls]:
        facts["missing"] = ", ".join(missing)
    return Topic("accuracy", facts, (*judge([change("all digits", "accuracy", source, target)]), *classes))


def _is_kept(before: Proportion, after: Proportion, together: int) -> bool:
    """Return whether a class with a high source recall loses little; the intervals hold for all classes together."""
    if min(before.weight, after.weight) < LEAST_KNOWN or before.value < LEAST_KEPT:
        return False
    return difference_interval(before, after, confidence=1 - 0.05 / together)[1] <= KEPT


def _confusions(one: DomainResult) -> Iterator[Topic]:
    """Find the confusions that are more frequent than in the source, the most frequent first."""
    found = {
        f"{digit} as {other}": one.rates(digit, other)
        for digit in range(CLASSES)
        for other in {*range(CLASSES)} - {digit}
    }
    pairs = {what: pair for what, pair in found.items() if pair and any(share.count for share in pair)}
    if not pairs:
        return
    tested = judge(change(what, "rate of confusion", *pair) for what, pair in pairs.items())
    more = [effect for effect in tested if effect.verdict == "higher"]
    listed = [effect for effect in more if pairs[effect.what][1].successes >= LEAST_PAIR]
    listed.sort(key=lambda effect: -pairs[effect.what][1].count)
    facts: dict[str, Fact] = {"tested": len(tested), "more": len(more)} if more else {"without_more": len(tested)}
    if rare := len(more) - len(listed):
        facts |= {"rare": rare, "least": LEAST_PAIR}
    yield Topic("confusions", facts, tuple(listed))


def _shift(one: DomainResult, shift: Shift) -> Topic:
    facts: dict[str, Fact] = {"mmd": shift.mmd, "mmd_chance": shift.mmd_chance}
    effects = judge([Effect("distance of the domains", "squared MMD", shift.mmd, p=shift.mmd_p_value)])
    is_shifted = effects[0].verdict == "significant"
    if is_shifted and isfinite(shift.a_distance):
        facts["recognized"] = (1 + shift.a_distance / 2) / 2
    if is_shifted and isfinite(shift.coral) and shift.coral_chance > 0:
        times = shift.coral / shift.coral_chance
        verdict: Verdict = "significant" if times > SIGNIFICANT_MULTIPLE * one.target.variants else "not significant"
        effects += (
            Effect("difference of covariances", "CORAL distance over its mean by chance", times, verdict=verdict),
        )
    losses = [
        (shift.class_distances[digit], before.value - after.value) for digit, (before, after) in one.recalls.items()
    ]
    moved = [pair for pair in losses if isfinite(pair[0])]
    return Topic(
        "shift", facts, effects + judge(rank_correlation("loss of a class with the distance of its mean", moved))
    )


def _alignment(one: DomainResult) -> Iterator[Topic]:
    """Yield the effects of moving and scaling the target images, then of deskewing both domains beyond that."""
    found = {aligned.alignment: one.correct(aligned.result) for aligned in one.alignments}
    first, *others = [name for name in found if name not in DESKEWED_ALIGNMENTS] or [""]
    deskewed = [name for name in found if name in DESKEWED_ALIGNMENTS]
    if not first or not others + deskewed:
        return
    variants, (source, _) = one.target.variants, one.accuracies
    shares = {name: proportion_of(correct, variants) for name, correct in found.items()}
    start = BOX if BOX in others else [first, *others][-1]
    effects: tuple[Effect, ...] = ()
    for before, names in ((first, others), (start, deskewed)):
        effects += judge(paired_change(f"{x} against {before}", found[before], found[x], variants) for x in names)
    best = max(share.value for share in shares.values())
    facts: dict[str, Fact] = {"best": ", ".join(x for x in shares if shares[x].value == best), "best_accuracy": best}
    if _is_gap(source, shares[first]) and BOX in others and effects[others.index(BOX)].verdict == "higher":
        closed = (shares[BOX].value - shares[first].value) / (source.value - shares[first].value)
        facts |= {"first": first, "closed": min(1.0, closed)}
        effects += judge([change(f"{BOX} against {one.source}", "accuracy", source, shares[BOX])])
    for aligned in one.alignments:
        if aligned.model != one.model:
            facts["deskewed_model"] = aligned.model
        elif np.array_equal(aligned.result.probabilities, one.source_only.probabilities):
            facts.setdefault("alignment", aligned.alignment)
    yield Topic("alignment", facts, effects)


def _is_gap(source: Proportion, target: Proportion) -> bool:
    return source.value > target.value and source.differs(target) < SIGNIFICANT


def _closes_half(one: DomainResult) -> bool:
    """Return whether `BOX` closes significantly more than half of the gap, and the gap is significant too."""
    found = {x.alignment: one.correct(x.result) for x in one.alignments if x.alignment not in DESKEWED_ALIGNMENTS}
    if BOX not in found or found[BOX].size < 2 * one.target.variants:
        return False
    first, source, variants = next(iter(found.values())), one.accuracies[0], one.target.variants
    is_gap = _is_gap(source, proportion_of(first, variants))
    return is_gap and closes_less(HALF, source, first, found[BOX], variants) < SIGNIFICANT


def _unlabeled(one: DomainResult) -> Iterator[Topic]:
    named = [f"{name} {mean_entropy(found.probabilities):.3f}" for name, found in one.methods.items()]
    effects = (
        [Effect("distance of the domains", "squared MMD", one.shift.mmd, p=one.shift.mmd_p_value)] if one.shift else []
    )
    yield Topic("unlabeled", {"entropies": ", ".join(named)}, judge(effects))
