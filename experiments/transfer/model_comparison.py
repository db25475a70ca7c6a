"""Comparison of models in one target domain: the one that loses least against the others."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from math import isfinite

from experiments.evaluation import mcnemar
from experiments.evaluation.effects import Effect, Topic, judge
from experiments.transfer.domain_result import DomainResult
from experiments.transfer.proportions import Proportion, change, loss_difference, rank_correlation

Proportions = Mapping[str, Proportion]


def compare(models: Sequence[DomainResult], corrupted: Mapping[str, Proportions]) -> Iterator[Topic]:
    """Yield the comparison of models, and the differences of the one that loses least from the one that loses most.

    Parameters
    ----------
    models
        Several results with the same source and the same labeled target.
    corrupted
        Accuracies by corruption of the source, by model.
    """
    changes = {one.model: one.accuracies[1].value - one.accuracies[0].value for one in models}
    order = sorted(models, key=lambda one: -changes[one.model])
    first, last = order[0], order[-1]
    pairs = [*combinations(order, 2)]  # tested together; those with the first model come first
    effects = judge(loss_difference(f"{a.label} against {b.label}", a.accuracies, b.accuracies) for a, b in pairs)
    effects = effects[: len(order) - 1]
    is_better = effects[-1].verdict == "higher"
    effects += judge(_by_image(first, last, len(pairs)))
    effects += judge(_shift(first, last))
    effects += judge(_over_models(models, changes))
    ranking = "; ".join(f"{one.label} {100 * changes[one.model]:+.1f} points" for one in order)
    source, target = first.source, first.target.name
    facts = {"ranking": ranking, "source": source, "target": target}
    yield Topic("comparison", facts, effects, f"Models from {source} to {target}")
    if is_better:
        recalls = [{f"digit {digit}": pair[1] for digit, pair in one.recalls.items()} for one in (last, first)]
        under = [corrupted.get(one.model, {}) for one in (last, first)]
        effects = (*_changes("recall", *recalls), *_changes("accuracy", *under))
        facts = {"first": first.label, "last": last.label, "target": target}
        facts |= {"corrupted": source} if all(under) else {}
        yield Topic("contrast", facts, effects, f"{first.label} against {last.label} on {target}")


def _changes(measure: str, before: Proportions, after: Proportions) -> tuple[Effect, ...]:
    return judge(change(key, measure, before[key], after[key]) for key in before if key in after)


def _by_image(first: DomainResult, last: DomainResult, pairs: int) -> Iterator[Effect]:
    """Compare by the images of which either classifies more variants correctly: images are independent, variants not.

    The two were selected from so many pairs. Targets of one name may have different images: then there is no effect.
    """
    mine, theirs = (one.correct().reshape(one.target.variants, -1).sum(axis=0) for one in (first, last))
    if mine.shape == theirs.shape:
        test = mcnemar(mine > theirs, theirs > mine)
        what, p = f"{first.label} against {last.label}", min(1.0, test.p_value * pairs)
        yield Effect(
            what,
            "number of images classified better than by the other",
            test.only_a - test.only_b,
            before=test.only_b,
            after=test.only_a,
            p=p,
        )


def _shift(first: DomainResult, last: DomainResult) -> Iterator[Effect]:
    """Compare A-distances by the number of images that their classifiers assign to the wrong domain."""
    shifts = [one.shift for one in (last, first) if one.shift and isfinite(one.shift.a_distance)]
    if len(shifts) == 2:
        before, after = (shift.a_distance for shift in shifts)
        wrong = [
            Proportion(round((1 - shift.a_distance / 2) * shift.sample), 2 * shift.sample, first.target.variants)
            for shift in shifts
        ]
        what = f"{first.label} against {last.label}"
        yield Effect(what, "A-distance", after - before, before=before, after=after, p=wrong[0].differs(wrong[1]))


def _over_models(models: Sequence[DomainResult], changes: Mapping[str, float]) -> Iterator[Effect]:
    pairs = [(one.shift.mmd, -changes[one.model]) for one in models if one.shift and isfinite(one.shift.mmd)]
    yield from rank_correlation(f"loss of {len(pairs)} models with their squared MMD", pairs)
