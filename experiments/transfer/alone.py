"""What the numbers of one network in another domain say, in words."""

from collections.abc import Iterator, Mapping
from math import isfinite

from experiments.analysis.looks import SIGNIFICANT, listed, standing
from experiments.transfer.shares import Share, lost_between, points, ranked
from experiments.transfer.shift import CLASSES
from experiments.transfer.transfers import (
    Transfer,
    accuracies,
    adaptations,
    corruptions,
    deskewed_ladder,
    ladder,
    recalls,
    taken_for,
)

MOST_NAMED = 3  # digits, mistakes or corruptions in a sentence
KEPT = 0.05  # of a digit's images, that it may lose at most to be said to keep them
LEAST_PAIR = 5  # independent images, below which a mistake is no pattern
BEYOND_CHANCE = 2.0  # times what two samples of the source give
HALF = 0.5  # of a gap, from which what closes it may be its reason
PLACING = ("scale", "translate")  # corruptions of how large a digit is and where it stands, which alignment undoes


def alone(one: Transfer, source: str, target: str) -> Iterator[str]:
    """Say what a network loses, where, and what that goes with."""
    yield from _loss(one, source, target)
    yield from _classes(one, source, target)
    yield from _mistakes(one, source)
    yield from _shifted(one)
    yield from _aligned(one, target)
    yield from _deskewed(one)
    yield from _corrupted(one, source)
    yield from _adapted(one)


def _loss(one: Transfer, source: str, target: str) -> Iterator[str]:
    before, after = accuracies(one)
    bounds = [f"{low:.1%} to {high:.1%}" for low, high in (before.interval(), after.interval())]
    text = f"{one.name} gets {before} of {source} right ({bounds[0]}) and {after} of {target} ({bounds[1]})"
    lost = before.value - after.value
    if (p := before.differs(after)) >= SIGNIFICANT:
        yield f"{text}: a difference that can be chance (p = {p:.2g})."
    else:
        low, high = sorted(100 * (bound if lost > 0 else -bound) for bound in lost_between(before, after))
        verb = "loses" if lost > 0 else "gains"
        yield f"{text}: it {verb} {points(lost)} (95 % interval {low:.1f} to {high:.1f}), more than by chance."
    if one.views > 1:
        digits, weight = after.n // one.views, round(after.weight)
        finer = f", in every finer comparison as {digits:,}" if one.right is not None else ""
        yield (
            f"The {after.n:,} images of {target} are {one.views} views of each of {digits:,} digits: together they "
            f"count as {weight:,} independent ones{finer}."
        )


def _classes(one: Transfer, source: str, target: str) -> Iterator[str]:
    """Say which digits lose, gain and keep: per class, all tested together."""
    found = recalls(one)
    stand = standing({digit: before.differs(after) for digit, (before, after) in found.items()})
    change = {digit: after.value - before.value for digit, (before, after) in found.items()}
    for verb, sign in (("lose", -1), ("gain", 1)):
        digits = sorted((digit for digit in stand if sign * change[digit] > 0), key=lambda digit: -sign * change[digit])
        named = [f"{digit} (from {found[digit][0]} to {found[digit][1]})" for digit in digits[:MOST_NAMED]]
        if len(digits) > MOST_NAMED:
            yield f"{len(digits)} of {len(found)} digits {verb} beyond chance, most of all {listed(named)}."
        elif digits:
            single = "s" if len(digits) == 1 else ""
            yield f"By digits, {listed(named)} {verb}{single} beyond chance; what others {verb} can be chance."
    confidence = 1 - 0.05 / max(len(found), 1)  # so that all intervals hold together
    kept = [digit for digit, pair in found.items() if digit not in stand and lost_between(*pair, confidence)[1] <= KEPT]
    if kept:
        verb, each = ("keeps its", "it") if len(kept) == 1 else ("keep their", "each")
        most = f"{each} can have lost {points(KEPT)} at most (95 % confidence for all digits together)"
        yield f"{listed(kept)} {verb} accuracy: {most}."
    missing = [digit for digit in range(CLASSES) if one.source.confusion[digit].any() and digit not in found]
    if missing:
        verb = "does" if len(missing) == 1 else "do"
        yield f"{listed(missing)} {verb} not occur in {target}: what {source} says of them is not tested there."


def _mistakes(one: Transfer, source: str) -> Iterator[str]:
    """Say which digits are taken for which others more often than in the source."""
    pairs = {}
    for digit in recalls(one):
        for other in set(range(CLASSES)) - {digit}:
            pair = taken_for(one, digit, other)
            if pair and any(share.count for share in pair):
                pairs[digit, other] = pair
    stand = standing({pair: before.differs(after) for pair, (before, after) in pairs.items()})
    more = {pair: pairs[pair] for pair in stand if pairs[pair][1].value > pairs[pair][0].value}
    new = sorted(
        (pair for pair in more if more[pair][1].successes >= LEAST_PAIR), key=lambda pair: -more[pair][1].count
    )
    if new:
        named = [f"{a} for {b} ({more[a, b][1]} of them, there {more[a, b][0]})" for a, b in new[:MOST_NAMED]]
        above_all = " above all" if len(new) > MOST_NAMED else ""
        yield f"More often than in {source} it takes{above_all} {listed(named)}."


def _shifted(one: Transfer) -> Iterator[str]:
    found = one.shift
    if found is None or not all(isfinite(x) for x in (found.mmd, found.mmd_p_value, found.mmd_chance)):
        return
    numbers = f"squared MMD {found.mmd:.2g}, by chance up to {found.mmd_chance:.2g}"
    if found.mmd_p_value >= SIGNIFICANT:
        yield f"Its features show no shift between the domains beyond chance ({numbers}, p = {found.mmd_p_value:.2g})."
    else:
        yield f"The domains lie apart in its features ({numbers})."
        if isfinite(found.a_distance):
            share = (1 + found.a_distance / 2) / 2
            yield (
                f"From these a linear classifier tells the domain of {share:.0%} of the images, where guessing tells "
                f"half (A-distance {found.a_distance:.2f} of 2)."
            )
        if found.coral_chance > 0 and found.coral > BEYOND_CHANCE * found.coral_chance:
            times = found.coral / found.coral_chance
            yield f"The features spread differently, too: their CORAL distance is {times:,.0f} times that by chance."
    losses = {digit: before.value - after.value for digit, (before, after) in recalls(one).items()}
    moved = {digit: found.class_distances[digit] for digit in losses if isfinite(found.class_distances[digit])}
    if (ties := ranked([moved[digit] for digit in moved], [losses[digit] for digit in moved])) is not None:
        more = "more" if ties > 0 else "less"
        yield (
            f"The farther the mean of a digit's features moves, the {more} it loses (Kendall's rank correlation "
            f"{ties:.2f} over {len(moved)} digits)."
        )


def _aligned(one: Transfer, target: str) -> Iterator[str]:
    """Say what moving and scaling the target's digits brings to the same network."""
    plain, rungs = _plain_alignment(one), ladder(one)
    if plain not in rungs or len(rungs) < 2:
        return
    if one.alignment:
        yield f"All of the above is with {target} aligned by {one.alignment}."
    best = _best_rung(rungs, plain)
    if best is None:
        yield f"No alignment raises its accuracy on {target} above that of {plain} ({rungs[plain]}) beyond chance."
        return
    text = f"Aligned by {plain} it gets {rungs[plain]} of {target} right, by {best}, the best, {rungs[best]}"
    yield f"{text}{_closed(accuracies(one)[0], rungs[plain], rungs[best])}."


def _plain_alignment(one: Transfer) -> str:
    return next(iter(one.alignments), "")


def _best_rung(rungs: Mapping[str, Share], plain: str) -> str | None:
    """Return the alignment with the highest accuracy, of those above the plain one beyond chance."""
    stand = standing({name: rungs[plain].differs(share) for name, share in rungs.items() if name != plain})
    better = [name for name in stand if rungs[name].value > rungs[plain].value]
    return max(better, key=lambda name: rungs[name].value, default=None)


def _closed(source: Share, start: Share, end: Share) -> str:
    """Say what part of the gap between the domains that is, if there was one."""
    gap, left = source.value - start.value, source.value - end.value
    if gap <= 0 or source.differs(start) >= SIGNIFICANT:
        return ""
    if left <= 0:
        return f": that closes the gap of {points(gap)}"
    rest = "is beyond chance" if source.differs(end) < SIGNIFICANT else "can be chance"
    return f": that closes {(gap - left) / gap:.0%} of the gap of {points(gap)}, and the rest, {points(left)}, {rest}"


def _deskewed(one: Transfer) -> Iterator[str]:
    """Say what deskewing both domains adds to the best that the same network achieves without it."""
    rungs, more = ladder(one), deskewed_ladder(one)
    if one.deskewed is None or not rungs or not more:
        return
    best = max(rungs, key=lambda name: rungs[name].value)
    named = listed([f"{share} by {name}" for name, share in more.items()])
    same = one.deskewed.name == one.name
    opening = (
        f"Used on deskewed digits, as it was trained, it gets {named}"
        if same
        else f"{one.deskewed.name}, trained and used on deskewed digits, gets {named}"
    )
    stand = standing({name: rungs[best].differs(share) for name, share in more.items()})
    against = f"{best} ({rungs[best]})"
    if not stand:
        yield f"{opening}, which does not differ from {against} beyond chance."
        return
    changes = {name: more[name].value - rungs[best].value for name in stand}
    verdicts = [f"{name} {'adds' if x > 0 else 'takes'} {points(x)}" for name, x in changes.items()]
    luck = "" if same else "; that the two were trained apart is not counted as chance"
    yield f"{opening}: beside {against}, {listed(verdicts)} beyond chance{luck}."


def _corrupted(one: Transfer, source: str) -> Iterator[str]:
    whole, shares = accuracies(one)[0], corruptions(one)
    stand = standing({name: whole.differs(share) for name, share in shares.items()})
    hurt = sorted((x for x in stand if shares[x].value < whole.value), key=lambda x: shares[x].value)
    if not hurt:
        return
    named = [f"{spelled(name)} (to {shares[name]})" for name in hurt[:MOST_NAMED]]
    most = ", most of all" if len(hurt) > MOST_NAMED else ":"
    yield f"Of {len(shares)} corruptions of {source} {len(hurt)} cost it accuracy beyond chance{most} {listed(named)}."
    placing = [name for name in hurt if name in PLACING]
    if placing and _alignment_closes(one) >= HALF:
        yield (
            f"That {listed(placing)} cost{'s' if len(placing) == 1 else ''} it accuracy fits what alignment brings: "
            f"half or more of what it loses by {_plain_alignment(one)} lies in where and how large digits stand, not "
            "in how they are written."
        )


def _alignment_closes(one: Transfer) -> float:
    """Return the part of the gap that the best alignment closes; 0 where that or the gap can be chance."""
    plain, rungs, source = _plain_alignment(one), ladder(one), accuracies(one)[0]
    if plain not in rungs or (best := _best_rung(rungs, plain)) is None:
        return 0.0
    gap = source.value - rungs[plain].value
    beyond_chance = gap > 0 and source.differs(rungs[plain]) < SIGNIFICANT
    return (rungs[best].value - rungs[plain].value) / gap if beyond_chance else 0.0


def _adapted(one: Transfer) -> Iterator[str]:
    pairs = adaptations(one)
    stand = standing({method: before.differs(after) for method, (before, after) in pairs.items()})
    for method in stand:
        before, after = pairs[method]
        verb = "raises" if after.value > before.value else "lowers"
        yield f"Adapting by {method} {verb} its accuracy from {before} to {after} of {after.n:,} images."
    rest = [method for method in pairs if method not in stand]
    if rest:
        yield f"Adapting by {listed(rest)} does not change its accuracy beyond chance."


def spelled(name: str) -> str:
    """Return a name as words."""
    return name.replace("_", " ")
