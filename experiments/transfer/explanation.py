"""What the numbers of a transfer say, in words. A sentence is there only where its numbers hold it up.

Shares are compared by Fisher's exact test, at 1 % after Holm's correction for all that is tested together. It takes
the two for those of different images; where they are of the same ones it finds rather too little than too much.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, permutations
from math import hypot, isfinite, sqrt
from statistics import NormalDist
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.looks import SIGNIFICANT, listed
from experiments.evaluation import Metrics, mcnemar, wilson_interval
from experiments.transfer.shift import CLASSES, Shift

Key = TypeVar("Key", bound=Hashable)

MOST_NAMED = 3  # digits, mistakes or corruptions in a sentence
KEPT = 0.05  # of a digit's images, that it may lose at most to be said to keep them
LEAST_PAIR = 5  # images, below which a mistake is no pattern
LEAST_RANKED = 5  # things, below which no ranking of them is beyond chance
BEYOND_CHANCE = 2.0  # times what two samples of the source give
HALF = 0.5  # of a gap, from which what closes it may be its reason
GEOMETRIC = ("shear", "scale", "rotate", "translate")  # corruptions of where, how large and how slanted a digit is


@dataclass(frozen=True)
class Adaptation:
    """Accuracies before and after a network was adapted to the target, on `n` target images; NaN where unknown."""

    before: float
    after: float
    n: int


@dataclass(frozen=True, eq=False)
class Transfer:
    """What is known of one network that learned from a source and is used on a target.

    Attributes
    ----------
    name
        Of the network, for the reader.
    source, target
        Its metrics on test images of either.
    shift
        Of its features; None where it was not measured.
    alignments
        Target accuracy by the way in which target images were made like the source's, on as many images as `target`.
        The first is the plain one, which the others are compared with. NaN is left out, as below.
    corruptions
        Source accuracy by corruption, on as many images as `source`.
    adaptations
        By method.
    right
        bool (m,): which target images it gets right, in an order that all networks share; None where unknown.
    """

    name: str
    source: Metrics
    target: Metrics
    shift: Shift | None = None
    alignments: Mapping[str, float] = field(default_factory=dict)
    corruptions: Mapping[str, float] = field(default_factory=dict)
    adaptations: Mapping[str, Adaptation] = field(default_factory=dict)
    right: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class _Share:
    """How many of n images."""

    count: int
    n: int

    def __str__(self) -> str:
        return f"{self.value:.1%}"

    @property
    def value(self) -> float:
        return self.count / self.n

    @property
    def variance(self) -> float:
        """Of the share, with a success and a failure more, so that it is not 0 where all or none succeed."""
        likely = (self.count + 1) / (self.n + 2)
        return likely * (1 - likely) / (self.n + 2)

    def differs(self, other: "_Share") -> float:
        """Return the p value of Fisher's exact test, two-sided."""
        from scipy.stats import fisher_exact

        return float(fisher_exact([[one.count, one.n - one.count] for one in (self, other)]).pvalue)


def explain(transfers: Sequence[Transfer], source: str = "the source", target: str = "the target") -> tuple[str, ...]:
    """Return sentences on each network, then on what sets them apart.

    Parameters
    ----------
    transfers
        Networks under different names, all from the same source to the same target.
    source, target
        What the reader calls them.
    """
    sentences = [sentence for one in transfers for sentence in _alone(one, source, target)]
    if len(transfers) > 1:
        sentences += _together(transfers, target)
    return tuple(sentences)


def _alone(one: Transfer, source: str, target: str) -> Iterator[str]:
    yield from _loss(one, source, target)
    yield from _classes(one, source, target)
    yield from _mistakes(one, source, target)
    yield from _shifted(one)
    yield from _aligned(one, target)
    yield from _corrupted(one, source)
    yield from _adapted(one)


def _loss(one: Transfer, source: str, target: str) -> Iterator[str]:
    before, after = _accuracies(one)
    bounds = [f"{low:.1%} to {high:.1%}" for low, high in (wilson_interval(x.count, x.n) for x in (before, after))]
    text = f"{one.name} gets {before} of {source} right ({bounds[0]}) and {after} of {target} ({bounds[1]})"
    lost = before.value - after.value
    if (p := before.differs(after)) >= SIGNIFICANT:
        yield f"{text}: a difference that can be chance (p = {p:.2g})."
        return
    low, high = sorted(abs(bound) for bound in _bounds(before, after))
    verb = "loses" if lost > 0 else "gains"
    yield f"{text}: it {verb} {_points(lost)} (95 % interval {100 * low:.1f} to {100 * high:.1f}), more than by chance."


def _classes(one: Transfer, source: str, target: str) -> Iterator[str]:
    """Say which digits lose, gain and keep: per class, all tested together."""
    recalls = _recalls(one)
    stand = _standing({digit: before.differs(after) for digit, (before, after) in recalls.items()})
    change = {digit: after.value - before.value for digit, (before, after) in recalls.items()}
    for verb, sign in (("lose", -1), ("gain", 1)):
        digits = sorted((digit for digit in stand if sign * change[digit] > 0), key=lambda digit: -sign * change[digit])
        named = [f"{digit} ({recalls[digit][0]} to {recalls[digit][1]})" for digit in digits[:MOST_NAMED]]
        if len(digits) > MOST_NAMED:
            yield f"{len(digits)} digits {verb} beyond chance, most of all {listed(named)}."
        elif digits:
            yield f"By digits, {listed(named)} {verb}{'s' if len(digits) == 1 else ''} beyond chance, and no other."
    confidence = 1 - 0.05 / max(len(recalls), 1)  # so that all intervals hold together
    kept = [digit for digit, pair in recalls.items() if digit not in stand and _bounds(*pair, confidence)[1] <= KEPT]
    if kept:
        verb = "keeps its" if len(kept) == 1 else "keep their"
        yield f"{listed(kept)} {verb} accuracy: at most {KEPT:.0%} of them can be lost (95 % for all digits together)."
    missing = [digit for digit in range(CLASSES) if one.source.confusion[digit].any() and digit not in recalls]
    if missing:
        verb = "does" if len(missing) == 1 else "do"
        yield f"{listed(missing)} {verb} not occur in {target}: what {source} says of them is not tested there."


def _mistakes(one: Transfer, source: str, target: str) -> Iterator[str]:
    """Say which digits are taken for which others more often than in the source."""
    pairs = {}
    for digit in _recalls(one):
        rows = [metrics.confusion[digit] for metrics in (one.source, one.target)]
        for other in set(range(CLASSES)) - {digit}:
            before, after = (_Share(int(row[other]), int(row.sum())) for row in rows)
            if before.count or after.count:
                pairs[digit, other] = (before, after)
    stand = _standing({pair: before.differs(after) for pair, (before, after) in pairs.items()})
    new = [pair for pair in stand if pairs[pair][1].value > pairs[pair][0].value and pairs[pair][1].count >= LEAST_PAIR]
    new.sort(key=lambda pair: -pairs[pair][1].count)
    if new:
        named = [f"{a} for {b} ({pairs[a, b][1]} of them, {pairs[a, b][0]} in {source})" for a, b in new[:MOST_NAMED]]
        yield f"The commonest mistakes that {target} brings: it takes {listed(named)}."


def _shifted(one: Transfer) -> Iterator[str]:
    found = one.shift
    if found is None or not all(isfinite(x) for x in (found.mmd, found.mmd_p_value, found.mmd_chance)):
        return
    numbers = f"squared MMD {found.mmd:.2g}, by chance up to {found.mmd_chance:.2g}"
    if found.mmd_p_value >= SIGNIFICANT:
        yield f"Its features show no shift between the domains beyond chance ({numbers}, p = {found.mmd_p_value:.2g})."
    else:
        linear = f"; a linear classifier tells them apart with an A-distance of {found.a_distance:.2f} of 2"
        yield f"The domains lie apart in its features ({numbers}{linear if isfinite(found.a_distance) else ''})."
        if found.coral_chance > 0 and found.coral > BEYOND_CHANCE * found.coral_chance:
            times = found.coral / found.coral_chance
            yield f"They spread differently too: the CORAL distance is {times:,.0f} times that by chance."
    losses = {digit: before.value - after.value for digit, (before, after) in _recalls(one).items()}
    moved = {digit: found.class_distances[digit] for digit in losses if isfinite(found.class_distances[digit])}
    if (ties := _ranked([moved[digit] for digit in moved], [losses[digit] for digit in moved])) is not None:
        more = "more" if ties > 0 else "less"
        yield (
            f"The farther the mean of a digit's features moves, the {more} it loses (Kendall's rank correlation "
            f"{ties:.2f} over {len(moved)} digits)."
        )


def _aligned(one: Transfer, target: str) -> Iterator[str]:
    plain, rungs = next(iter(one.alignments), ""), _ladder(one)
    if plain not in rungs or len(rungs) < 2:
        return
    best = _best_rung(rungs, plain)
    if best is None:
        yield f"No alignment raises its accuracy on {target} above that of {plain} ({rungs[plain]}) beyond chance."
        return
    text = f"Aligned by {best} it gets {rungs[best]} of {target} right, by {plain} {rungs[plain]}"
    yield f"{text}{_closed(_accuracies(one)[0], rungs[plain], rungs[best])}."


def _ladder(one: Transfer) -> dict[str, _Share]:
    return {name: _Share(round(x * one.target.n), one.target.n) for name, x in one.alignments.items() if isfinite(x)}


def _best_rung(rungs: Mapping[str, _Share], plain: str) -> str | None:
    """Return the alignment with the highest accuracy, of those above the plain one beyond chance."""
    stand = _standing({name: rungs[plain].differs(share) for name, share in rungs.items() if name != plain})
    better = [name for name in stand if rungs[name].value > rungs[plain].value]
    return max(better, key=lambda name: rungs[name].value, default=None)


def _closed(source: _Share, start: _Share, end: _Share) -> str:
    """Say what part of the gap between the domains that is, if there was one."""
    gap, left = source.value - start.value, source.value - end.value
    if gap <= 0 or source.differs(start) >= SIGNIFICANT:
        return ""
    if left <= 0:
        return f", which closes the gap of {_points(gap)}"
    rest = "remains" if source.differs(end) < SIGNIFICANT else "can be chance"
    return f", which closes {(gap - left) / gap:.0%} of the gap of {_points(gap)}; the rest, {_points(left)}, {rest}"


def _corrupted(one: Transfer, source: str) -> Iterator[str]:
    whole, shares = _accuracies(one)[0], _corruptions(one)
    stand = _standing({name: whole.differs(share) for name, share in shares.items()})
    hurt = sorted((x for x in stand if shares[x].value < whole.value), key=lambda x: shares[x].value)
    if not hurt:
        return
    named = [f"{_plain(name)} (to {shares[name]})" for name in hurt[:MOST_NAMED]]
    most = ", most of all" if len(hurt) > MOST_NAMED else ":"
    yield f"Of {len(shares)} corruptions of {source} {len(hurt)} cost it accuracy beyond chance{most} {listed(named)}."
    geometric = [_plain(name) for name in hurt if name in GEOMETRIC]
    if geometric and _alignment_closes(one) >= HALF:
        yield (
            f"That {listed(geometric)} cost{'s' if len(geometric) == 1 else ''} it accuracy, and that alignment closes "
            "half of the gap or more, fit a loss that lies in where and how large digits stand rather than in how they "
            "are written."
        )


def _alignment_closes(one: Transfer) -> float:
    """Return the part of the gap that the best alignment closes; 0 where that or the gap can be chance."""
    plain, rungs, source = next(iter(one.alignments), ""), _ladder(one), _accuracies(one)[0]
    if plain not in rungs or (best := _best_rung(rungs, plain)) is None:
        return 0.0
    gap = source.value - rungs[plain].value
    beyond_chance = gap > 0 and source.differs(rungs[plain]) < SIGNIFICANT
    return (rungs[best].value - rungs[plain].value) / gap if beyond_chance else 0.0


def _adapted(one: Transfer) -> Iterator[str]:
    pairs = {
        method: (_Share(round(x.before * x.n), x.n), _Share(round(x.after * x.n), x.n))
        for method, x in one.adaptations.items()
        if x.n > 0 and isfinite(x.before) and isfinite(x.after)
    }
    stand = _standing({method: before.differs(after) for method, (before, after) in pairs.items()})
    for method in stand:
        before, after = pairs[method]
        verb = "raises" if after.value > before.value else "lowers"
        yield f"Adapting by {method} {verb} its accuracy from {before} to {after} of {after.n:,} images."
    rest = [method for method in pairs if method not in stand]
    if rest:
        yield f"Adapting by {listed(rest)} does not change its accuracy beyond chance."


def _together(transfers: Sequence[Transfer], target: str) -> Iterator[str]:
    """Say which network loses least, and how it differs from the one that loses most."""
    losses = [before.value - after.value for before, after in map(_accuracies, transfers)]
    order = np.argsort(losses, kind="stable").tolist()
    stand = _standing({pair: _losses_differ(*(transfers[i] for i in pair)) for pair in combinations(order, 2)})
    named = [f"{transfers[i].name} {'loses' if losses[i] >= 0 else 'gains'} {_points(losses[i])}" for i in order]
    least, most = order[0], order[-1]
    beaten = [transfers[i].name for i in order[1:] if (least, i) in stand]
    if (least, most) in stand:
        beats = f"{transfers[least].name} loses less than {listed(beaten)}"
        yield f"Beside each other, {listed(named)}; that {beats} is not chance."
        yield from _contrast(transfers[least], transfers[most], target, len(order) * (len(order) - 1) // 2)
    else:
        yield f"Beside each other, {listed(named)}: differences that can be chance."
    yield from _over_networks(transfers, losses)


def _contrast(first: Transfer, second: Transfer, target: str, pairs: int) -> Iterator[str]:
    """Say how the network that loses least differs from the one that loses most; chosen out of so many pairs."""
    yield from _image_by_image(first, second, target, pairs)
    recalls = [{digit: after for digit, (_, after) in _recalls(one).items()} for one in (first, second)]
    yield from _better(first, second, recalls, f"On {target}, ", "recognises")
    robust = [_corruptions(one) for one in (first, second)]
    yield from _better(first, second, robust, "", "stands")
    geometric = [_plain(name) for name in _won(*robust) if name in GEOMETRIC]
    if geometric:
        yield f"What {first.name} keeps of {target} fits that it stands {listed(geometric)} better."
    yield from _shifted_less(first, second)


def _image_by_image(first: Transfer, second: Transfer, target: str, pairs: int) -> Iterator[str]:
    if first.right is None or second.right is None or first.right.shape != second.right.shape:
        return
    test = mcnemar(first.right, second.right)
    if test.p_value * pairs < SIGNIFICANT:
        yield (
            f"{test.only_a:,} images of {target} only {first.name} gets right, {test.only_b:,} only {second.name} "
            "(McNemar's test: beyond chance)."
        )


def _better(
    first: Transfer, second: Transfer, shares: Sequence[Mapping[Key, _Share]], opening: str, verb: str
) -> Iterator[str]:
    """Say where either has the larger share, of all that both have."""
    for (winner, mine), (loser, theirs) in permutations(zip((first, second), shares, strict=True)):
        won = sorted(_won(mine, theirs), key=lambda key: theirs[key].value - mine[key].value)
        if won:
            named = [f"{_plain(str(key))} ({mine[key]} against {theirs[key]})" for key in won[:MOST_NAMED]]
            more = f", and {len(won) - MOST_NAMED} more," if len(won) > MOST_NAMED else ""
            yield f"{opening}{winner.name} {verb} {listed(named)}{more} better than {loser.name}."


def _won(mine: Mapping[Key, _Share], theirs: Mapping[Key, _Share]) -> list[Key]:
    stand = _standing({key: mine[key].differs(theirs[key]) for key in mine if key in theirs})
    return [key for key in stand if mine[key].value > theirs[key].value]


def _shifted_less(first: Transfer, second: Transfer) -> Iterator[str]:
    """Compare A-distances by the images that the classifiers behind them put into the wrong domain."""
    wrong = []
    for found in (first.shift, second.shift):
        if found is None or not isfinite(found.a_distance):
            return
        n = 2 * found.sample
        wrong.append(_Share(round((1 - found.a_distance / 2) / 2 * n), n))
    if wrong[0].differs(wrong[1]) >= SIGNIFICANT or first.shift is None or second.shift is None:
        return
    numbers = f"A-distance {first.shift.a_distance:.2f} against {second.shift.a_distance:.2f}"
    if wrong[0].value > wrong[1].value:
        yield f"The features of {first.name} shift less, too ({numbers})."
    else:
        yield f"The features of {first.name} shift more for all that ({numbers}): what it keeps does not rest on that."


def _over_networks(transfers: Sequence[Transfer], losses: Sequence[float]) -> Iterator[str]:
    pairs = [
        (one.shift.mmd, loss)
        for one, loss in zip(transfers, losses, strict=True)
        if one.shift is not None and isfinite(one.shift.mmd)
    ]
    if (ties := _ranked([mmd for mmd, _ in pairs], [loss for _, loss in pairs])) is not None:
        more = "more" if ties > 0 else "less"
        yield (
            f"Over the {len(pairs)} networks, the farther features shift, the {more} is lost (Kendall's rank "
            f"correlation {ties:.2f})."
        )


def _accuracies(one: Transfer) -> tuple[_Share, _Share]:
    source, target = (_Share(int(x.confusion.trace()), int(x.confusion.sum())) for x in (one.source, one.target))
    return source, target


def _recalls(one: Transfer) -> dict[int, tuple[_Share, _Share]]:
    """Return how many of each digit are recognised in the source and in the target, of those that occur in both."""
    confusions = one.source.confusion, one.target.confusion
    shares = {}
    for digit in range(CLASSES):
        before, after = (_Share(int(counts[digit, digit]), int(counts[digit].sum())) for counts in confusions)
        if before.n and after.n:
            shares[digit] = (before, after)
    return shares


def _corruptions(one: Transfer) -> dict[str, _Share]:
    return {name: _Share(round(x * one.source.n), one.source.n) for name, x in one.corruptions.items() if isfinite(x)}


def _bounds(before: _Share, after: _Share, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval of what is lost, from Wilson's of both shares (Newcombe 1998, method 10)."""
    (low, high), (low_after, high_after) = (wilson_interval(x.count, x.n, confidence) for x in (before, after))
    lost = before.value - after.value
    return (
        lost - hypot(before.value - low, high_after - after.value),
        lost + hypot(high - before.value, after.value - low_after),
    )


def _losses_differ(one: Transfer, other: Transfer) -> float:
    """Return the p value of two networks losing the same, of a normal deviation; four shares taken as independent."""
    shares = [*_accuracies(one), *_accuracies(other)]
    difference = (shares[0].value - shares[1].value) - (shares[2].value - shares[3].value)
    return 2 * (1 - NormalDist().cdf(abs(difference) / sqrt(sum(share.variance for share in shares))))


def _ranked(some: Sequence[float], others: Sequence[float]) -> float | None:
    """Return Kendall's rank correlation, where it is beyond chance."""
    from scipy.stats import kendalltau

    if len(some) < LEAST_RANKED:
        return None
    found = kendalltau(some, others)
    return float(found.statistic) if found.pvalue < SIGNIFICANT else None


def _standing(p_values: Mapping[Key, float]) -> list[Key]:
    """Return what stands after Holm's correction (1979), in the order given."""
    standing = set()
    for place, key in enumerate(sorted(p_values, key=lambda key: p_values[key])):
        if p_values[key] * (len(p_values) - place) >= SIGNIFICANT:
            break
        standing.add(key)
    return [key for key in p_values if key in standing]


def _points(share: float) -> str:
    return f"{abs(100 * share):.1f} points"


def _plain(name: str) -> str:
    return name.replace("_", " ")
