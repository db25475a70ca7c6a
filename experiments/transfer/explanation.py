"""What the numbers of a transfer say, in words. A sentence is there only where its numbers hold it up."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import combinations, permutations
from math import isfinite
from typing import TypeVar

import numpy as np

from experiments.analysis import Section
from experiments.analysis.attribute_tests import SIGNIFICANT, significant
from experiments.analysis.text import listed
from experiments.evaluation import mcnemar
from experiments.transfer.alone import MOST_NAMED, alone, spelled
from experiments.transfer.shares import Share, losses_differ, points, ranked
from experiments.transfer.transfers import Transfer, accuracies, corruptions, recalls

Key = TypeVar("Key", bound=Hashable)


def explain(
    transfers: Sequence[Transfer], source: str = "the source", target: str = "the target"
) -> tuple[Section, ...]:
    """Return a section on each network, then one on what sets them apart.

    Parameters
    ----------
    transfers
        Networks under different names, all from the same source to the same target.
    source, target
        What the reader calls them.
    """
    sections = [Section(f"{one.name} on {target}", tuple(alone(one, source, target))) for one in transfers]
    if len(transfers) > 1:
        sections.append(Section(f"Together, from {source} to {target}", tuple(_together(transfers, target))))
    return tuple(sections)


def _together(transfers: Sequence[Transfer], target: str) -> Iterator[str]:
    """Say which network loses least, and how it differs from the one that loses most."""
    shares = [accuracies(one) for one in transfers]
    losses = [before.value - after.value for before, after in shares]
    order = np.argsort(losses, kind="stable").tolist()
    stand = significant({(i, j): losses_differ(shares[i], shares[j]) for i, j in combinations(order, 2)})
    named = [f"{transfers[i].name} {'loses' if losses[i] >= 0 else 'gains'} {points(losses[i])}" for i in order]
    least, most = order[0], order[-1]
    beaten = [transfers[i].name for i in order[1:] if (least, i) in stand]
    if (least, most) in stand:
        beats = f"{transfers[least].name} loses less than {listed(beaten)}"
        yield f"Beside each other, {listed(named)}; that {beats} is beyond chance."
        yield from _contrast(transfers[least], transfers[most], target)
    else:
        less = f"{transfers[least].name} loses less than {transfers[most].name}"
        yield f"Beside each other, {listed(named)}; that {less} is not shown beyond chance."
    yield from _image_by_image(transfers[least], transfers[most], target, len(order) * (len(order) - 1) // 2)
    yield from _over_networks(transfers, losses)


def _contrast(first: Transfer, second: Transfer, target: str) -> Iterator[str]:
    """Say how the network that loses least differs from the one that loses most."""
    recognised = [{digit: after for digit, (_, after) in recalls(one).items()} for one in (first, second)]
    yield from _better(first, second, recognised, f"On {target}, ", "recognises")
    yield from _better(first, second, [corruptions(one) for one in (first, second)], "", "stands")
    yield from _shifted_less(first, second)


def _image_by_image(first: Transfer, second: Transfer, target: str, pairs: int) -> Iterator[str]:
    """Compare by the digits of which either gets more views right: these are independent, and views are not.

    The two were chosen out of so many pairs.
    """
    if first.right is None or second.right is None or first.right.shape != second.right.shape:
        return
    views = max(first.views, second.views)
    mine, theirs = (one.right.reshape(views, -1).sum(axis=0) for one in (first, second) if one.right is not None)
    test = mcnemar(mine > theirs, theirs > mine)
    if test.p_value * pairs >= SIGNIFICANT:
        return
    if views == 1:
        yield (
            f"{test.only_a:,} images of {target} only {first.name} gets right, {test.only_b:,} only {second.name} "
            "(McNemar's test: beyond chance)."
        )
    else:
        yield (
            f"Of {len(mine):,} digits {first.name} gets {test.only_a:,} right in more of their {views} views, "
            f"{second.name} {test.only_b:,} (sign test: beyond chance)."
        )


def _better(
    first: Transfer, second: Transfer, shares: Sequence[Mapping[Key, Share]], opening: str, verb: str
) -> Iterator[str]:
    """Say where either has the larger share, of all that both have."""
    for (winner, mine), (loser, theirs) in permutations(zip((first, second), shares, strict=True)):
        won = sorted(_won(mine, theirs), key=lambda key: theirs[key].value - mine[key].value)
        if won:
            named = [f"{spelled(str(key))} ({mine[key]} against {theirs[key]})" for key in won[:MOST_NAMED]]
            more = f", and {len(won) - MOST_NAMED} more," if len(won) > MOST_NAMED else ""
            yield f"{opening}{winner.name} {verb} {listed(named)}{more} better than {loser.name}."


def _won(mine: Mapping[Key, Share], theirs: Mapping[Key, Share]) -> list[Key]:
    stand = significant({key: mine[key].differs(theirs[key]) for key in mine if key in theirs})
    return [key for key in stand if mine[key].value > theirs[key].value]


def _shifted_less(first: Transfer, second: Transfer) -> Iterator[str]:
    """Compare A-distances by the images that the classifiers behind them put into the wrong domain."""
    wrong = []
    for found in (first.shift, second.shift):
        if found is None or not isfinite(found.a_distance):
            return
        n = 2 * found.sample
        wrong.append(Share(round((1 - found.a_distance / 2) / 2 * n), n, max(first.views, second.views)))
    if wrong[0].differs(wrong[1]) >= SIGNIFICANT or first.shift is None or second.shift is None:
        return
    numbers = f"A-distance about {first.shift.a_distance:.2f} against {second.shift.a_distance:.2f}"
    if wrong[0].value > wrong[1].value:
        yield f"The features of {first.name} shift less, too ({numbers})."
    else:
        yield f"The features of {first.name} shift more for all that ({numbers})."


def _over_networks(transfers: Sequence[Transfer], losses: Sequence[float]) -> Iterator[str]:
    pairs = [
        (one.shift.mmd, loss)
        for one, loss in zip(transfers, losses, strict=True)
        if one.shift is not None and isfinite(one.shift.mmd)
    ]
    if (ties := ranked([mmd for mmd, _ in pairs], [loss for _, loss in pairs])) is not None:
        more = "more" if ties > 0 else "less"
        yield (
            f"Over the {len(pairs)} networks, the farther features shift, the {more} is lost (Kendall's rank "
            f"correlation {ties:.2f})."
        )
