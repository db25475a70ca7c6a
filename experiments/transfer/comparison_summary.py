"""Summary of models in a target domain, in words. Every sentence rests on a test or an interval."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import combinations, permutations
from math import isfinite
from typing import TypeVar

import numpy as np

from experiments.analysis import Section
from experiments.analysis.text import listed
from experiments.evaluation import mcnemar
from experiments.evaluation.multiple_tests import SIGNIFICANT, significant_keys
from experiments.transfer.explanation_input import ExplanationInput, accuracies, corruptions, recalls
from experiments.transfer.model_summary import MOST_NAMED, spelled, summarize_model
from experiments.transfer.proportions import Proportion, losses_differ, points, ranked

Key = TypeVar("Key", bound=Hashable)


def summarize_models(
    transfers: Sequence[ExplanationInput], source: str = "the source", target: str = "the target"
) -> tuple[Section, ...]:
    """Return a section on each model, then one that compares them.

    Parameters
    ----------
    transfers
        Models with different names, all from the same source to the same target.
    source, target
        Names of the domains.
    """
    sections = [Section(f"{one.name} on {target}", tuple(summarize_model(one, source, target))) for one in transfers]
    if len(transfers) > 1:
        sections.append(Section(f"Comparison, from {source} to {target}", tuple(_compare(transfers, target))))
    return tuple(sections)


def _compare(transfers: Sequence[ExplanationInput], target: str) -> Iterator[str]:
    """Yield sentences on the model that loses least, compared with the others."""
    shares = [accuracies(one) for one in transfers]
    losses = [before.value - after.value for before, after in shares]
    order = np.argsort(losses, kind="stable").tolist()
    significant = significant_keys({(i, j): losses_differ(shares[i], shares[j]) for i, j in combinations(order, 2)})
    named = [f"{transfers[i].name} {'loses' if losses[i] >= 0 else 'gains'} {points(losses[i])}" for i in order]
    least, most = order[0], order[-1]
    beaten = [transfers[i].name for i in order[1:] if (least, i) in significant]
    if (least, most) in significant:
        yield f"In comparison, {listed(named)}; {transfers[least].name} loses significantly less than {listed(beaten)}."
        yield from _contrast(transfers[least], transfers[most], target)
    else:
        pair = f"{transfers[least].name} and {transfers[most].name}"
        yield f"In comparison, {listed(named)}; the difference between {pair} is not significant."
    yield from _image_by_image(transfers[least], transfers[most], target, len(order) * (len(order) - 1) // 2)
    yield from _over_networks(transfers, losses)


def _contrast(first: ExplanationInput, second: ExplanationInput, target: str) -> Iterator[str]:
    """Yield the differences of the model that loses least from the one that loses most."""
    recognised = [{digit: after for digit, (_, after) in recalls(one).items()} for one in (first, second)]
    yield from _better(first, second, recognised, f"On {target}, ", "recognizes")
    yield from _better(first, second, [corruptions(one) for one in (first, second)], "", "withstands")
    yield from _shifted_less(first, second)


def _image_by_image(first: ExplanationInput, second: ExplanationInput, target: str, pairs: int) -> Iterator[str]:
    """Compare by the images of which either classifies more variants correctly: images are independent, variants not.

    The two were selected from so many pairs.
    """
    if first.correct is None or second.correct is None or first.correct.shape != second.correct.shape:
        return
    variants = max(first.variants, second.variants)
    mine, theirs = (one.correct.reshape(variants, -1).sum(axis=0) for one in (first, second) if one.correct is not None)
    test = mcnemar(mine > theirs, theirs > mine)
    if test.p_value * pairs >= SIGNIFICANT:
        return
    if variants == 1:
        yield (
            f"{test.only_a:,} images of {target} are classified correctly by {first.name} alone, {test.only_b:,} by "
            f"{second.name} alone (significant by McNemar's test)."
        )
    else:
        yield (
            f"Of {len(mine):,} images, {first.name} classifies {test.only_a:,} correctly in more of their {variants} "
            f"variants, {second.name} {test.only_b:,} (significant by the sign test)."
        )


def _better(
    first: ExplanationInput,
    second: ExplanationInput,
    shares: Sequence[Mapping[Key, Proportion]],
    opening: str,
    verb: str,
) -> Iterator[str]:
    """Yield a sentence on each model with significantly larger proportions in some groups."""
    for (winner, mine), (loser, theirs) in permutations(zip((first, second), shares, strict=True)):
        won = sorted(_won(mine, theirs), key=lambda key: theirs[key].value - mine[key].value)
        if won:
            named = [f"{spelled(str(key))} ({mine[key]} against {theirs[key]})" for key in won[:MOST_NAMED]]
            more = f", and {len(won) - MOST_NAMED} more," if len(won) > MOST_NAMED else ""
            yield f"{opening}{winner.name} {verb} {listed(named)}{more} better than {loser.name}."


def _won(mine: Mapping[Key, Proportion], theirs: Mapping[Key, Proportion]) -> list[Key]:
    significant = significant_keys({key: mine[key].differs(theirs[key]) for key in mine if key in theirs})
    return [key for key in significant if mine[key].value > theirs[key].value]


def _shifted_less(first: ExplanationInput, second: ExplanationInput) -> Iterator[str]:
    """Compare A-distances by the number of images that their classifiers assign to the wrong domain."""
    wrong = []
    for found in (first.shift, second.shift):
        if found is None or not isfinite(found.a_distance):
            return
        n = 2 * found.sample
        wrong.append(Proportion(round((1 - found.a_distance / 2) / 2 * n), n, max(first.variants, second.variants)))
    if wrong[0].differs(wrong[1]) >= SIGNIFICANT or first.shift is None or second.shift is None:
        return
    numbers = f"A-distance about {first.shift.a_distance:.2f} against {second.shift.a_distance:.2f}"
    if wrong[0].value > wrong[1].value:
        yield f"The features of {first.name} shift less, too ({numbers})."
    else:
        yield f"The features of {first.name} shift more nevertheless ({numbers})."


def _over_networks(transfers: Sequence[ExplanationInput], losses: Sequence[float]) -> Iterator[str]:
    pairs = [
        (one.shift.mmd, loss)
        for one, loss in zip(transfers, losses, strict=True)
        if one.shift is not None and isfinite(one.shift.mmd)
    ]
    if (ties := ranked([mmd for mmd, _ in pairs], [loss for _, loss in pairs])) is not None:
        more = "more" if ties > 0 else "less"
        yield (
            f"Over the {len(pairs)} models, the farther features shift, the {more} is lost (Kendall's rank "
            f"correlation {ties:.2f})."
        )
