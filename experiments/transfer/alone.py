"""What the numbers of one network in another domain say, in words."""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite

from experiments.analysis.attribute_tests import SIGNIFICANT, significant
from experiments.analysis.text import listed
from experiments.datasets import CLASSES
from experiments.transfer.shares import Share, closes_less, lost_between, paired, points, ranked
from experiments.transfer.transfers import (
    Transfer,
    accuracies,
    changed,
    corruptions,
    deskewed_ladder,
    ladder,
    recalls,
    share_of,
    taken_for,
)

MOST_NAMED = 3  # digits, mistakes or corruptions in a sentence
KEPT = 0.05  # of a digit's images, that it may lose at most to be said to keep them
LEAST_KEPT = 0.9  # of a digit's source images recognised, below which there is little to keep
LEAST_KNOWN = 30  # independent images of a digit in either domain, below which nothing is said to be kept
LEAST_PAIR = 5  # independent images, below which a mistake is no pattern
# Times the mean by chance, that a weighted sum of squared normal deviations exceeds in 1 % of cases at most, whatever
# the weights (Szekely & Bakirov 2003, "Extremal probabilities for Gaussian quadratic forms"): that of a single one.
BEYOND_CHANCE = 6.64
BOX = "box"  # the alignment that is compared with the plain one, whatever the labels say: MNIST's own procedure
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
    yield from _highest(one)
    yield from _corrupted(one, source)
    yield from _adapted(one)


def _loss(one: Transfer, source: str, target: str) -> Iterator[str]:
    before, after = accuracies(one)
    bounds = [f"{low:.1%} to {high:.1%}" for low, high in (before.interval(), after.interval())]
    text = f"{one.name} gets {before} of {source} right ({bounds[0]}) and {after} of {target} ({bounds[1]})"
    lost = before.value - after.value
    if (p := before.differs(after)) >= SIGNIFICANT:
        yield f"{text}: no difference is shown beyond chance (p = {p:.2g})."
    else:
        low, high = sorted(100 * (bound if lost > 0 else -bound) for bound in lost_between(before, after))
        verb = "loses" if lost > 0 else "gains"
        yield f"{text}: it {verb} {points(lost)} (95 % interval {low:.1f} to {high:.1f}), more than by chance."
    if one.views > 1:
        digits, weight = after.n // one.views, round(after.weight)
        finer = f", in comparisons by class as {digits:,}" if one.right is not None else ""
        yield (
            f"The {after.n:,} images of {target} are {one.views} views of each of {digits:,} digits: together they "
            f"count as {weight:,} independent ones{finer}."
        )


def _classes(one: Transfer, source: str, target: str) -> Iterator[str]:
    """Say which digits lose, gain and keep: per class, all tested together."""
    found = recalls(one)
    stand = significant({digit: before.differs(after) for digit, (before, after) in found.items()})
    change = {digit: after.value - before.value for digit, (before, after) in found.items()}
    for verb, sign in (("lose", -1), ("gain", 1)):
        digits = sorted((digit for digit in stand if sign * change[digit] > 0), key=lambda digit: -sign * change[digit])
        named = [f"{digit} (from {found[digit][0]} to {found[digit][1]})" for digit in digits[:MOST_NAMED]]
        if len(digits) > MOST_NAMED:
            yield f"{len(digits)} of {len(found)} digits {verb} beyond chance, most of all {listed(named)}."
        elif digits:
            single = "s" if len(digits) == 1 else ""
            noun = "loss" if sign < 0 else "gain"
            others = f"; for the others no {noun} is shown" if len(digits) < len(found) else ""
            yield f"By digits, {listed(named)} {verb}{single} beyond chance{others}."
    yield from _kept({digit: pair for digit, pair in found.items() if digit not in stand}, len(found))
    missing = [digit for digit in range(CLASSES) if one.source.confusion[digit].any() and digit not in found]
    if missing:
        verb = "does" if len(missing) == 1 else "do"
        yield f"{listed(missing)} {verb} not occur in {target}: what {source} says of them is not tested there."


def _kept(found: Mapping[int, tuple[Share, Share]], together: int) -> Iterator[str]:
    """Say which digits, recognised well in the source, can hardly have lost; so many intervals hold together."""
    confidence = 1 - 0.05 / max(together, 1)
    known = {digit: pair for digit, pair in found.items() if min(share.weight for share in pair) >= LEAST_KNOWN}
    well = {digit: pair for digit, pair in known.items() if pair[0].value >= LEAST_KEPT}
    kept = [digit for digit, pair in well.items() if lost_between(*pair, confidence)[1] <= KEPT]
    if kept:
        verb, each = ("keeps its", "it") if len(kept) == 1 else ("keep their", "each")
        most = f"{each} can have lost {points(KEPT)} at most (95 % confidence for all digits together)"
        yield f"{listed(kept)} {verb} accuracy: {most}."


def _mistakes(one: Transfer, source: str) -> Iterator[str]:
    """Say which digits are taken for which others more often than in the source."""
    pairs = {}
    for digit in recalls(one):
        for other in set(range(CLASSES)) - {digit}:
            pair = taken_for(one, digit, other)
            if pair and any(share.count for share in pair):
                pairs[digit, other] = pair
    stand = significant({pair: before.differs(after) for pair, (before, after) in pairs.items()})
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
        yield f"No shift between the domains is shown in its features ({numbers}, p = {found.mmd_p_value:.2g})."
    else:
        yield f"The domains lie apart in its features ({numbers})."
        if isfinite(found.a_distance):
            share = (1 + found.a_distance / 2) / 2
            yield (
                f"From these a linear classifier tells the domain of about {share:.0%} of the images, where guessing "
                f"tells half (A-distance {found.a_distance:.2f} of 2)."
            )
        if found.coral_chance > 0 and found.coral > BEYOND_CHANCE * one.views * found.coral_chance:
            times = found.coral / found.coral_chance
            yield (
                f"The features spread differently, too: their CORAL distance is about {times:,.0f} times its mean "
                "between two samples of the source."
            )
    losses = {digit: before.value - after.value for digit, (before, after) in recalls(one).items()}
    moved = {digit: found.class_distances[digit] for digit in losses if isfinite(found.class_distances[digit])}
    if (ties := ranked([moved[digit] for digit in moved], [losses[digit] for digit in moved])) is not None:
        more = "more" if ties > 0 else "less"
        yield (
            f"The farther the mean of a digit's features moves, the {more} it loses (Kendall's rank correlation "
            f"{ties:.2f} over {len(moved)} digits)."
        )


def _aligned(one: Transfer, target: str) -> Iterator[str]:
    """Say what moving and scaling the target's digits brings to the same network: by `BOX` first, then by others."""
    rungs = ladder(one)
    if len(rungs) < 2:
        return
    if one.alignment:
        yield f"All of the above is with {target} aligned by {one.alignment}."
    plain, *others = rungs
    stand = changed(one.alignments[plain], {name: one.alignments[name] for name in others}, one.views)
    if BOX in others:
        yield _boxed(accuracies(one)[0], rungs[plain], rungs[BOX], BOX in stand, (plain, target))
    more = {name: rungs[name] for name in others if name != BOX}
    told = [f"{name} {_verb(rungs[plain], more[name])} it to {more[name]}" for name in more if name in stand]
    if told:
        yield f"Beside {plain} ({rungs[plain]}), {listed(told)} beyond chance."
    yield from _not_shown([name for name in more if name not in stand])


def _boxed(source: Share, start: Share, end: Share, stands: bool, names: tuple[str, str]) -> str:
    plain, target = names
    text = f"Aligned by {plain} it gets {start} of {target} right, by {BOX} {end}"
    if not stands:
        return f"{text}: no difference is shown beyond chance."
    change = points(end.value - start.value)
    if end.value < start.value:
        return f"{text}, {change} fewer beyond chance."
    return f"{text}, {change} more beyond chance{_closed(source, start, end)}."


def _closed(source: Share, start: Share, end: Share) -> str:
    """Say what part of the gap between the domains that is, if one is beyond chance."""
    gap, left = source.value - start.value, source.value - end.value
    if gap <= 0 or source.differs(start) >= SIGNIFICANT:
        return ""
    if left <= 0:
        return f": about all of the gap of {points(gap)}"
    rest = "is beyond chance" if source.differs(end) < SIGNIFICANT else "is not shown to be beyond chance"
    return f": about {(gap - left) / gap:.0%} of the gap of {points(gap)}; the rest, {points(left)}, {rest}"


def _verb(before: Share, after: Share) -> str:
    return "raises" if after.value > before.value else "lowers"


def _not_shown(names: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"For {listed(names)} no change is shown beyond chance."


def _deskewed(one: Transfer) -> Iterator[str]:
    """Say what deskewing both domains adds to `BOX`, or to the last alignment where that is the same as another."""
    rungs, more = ladder(one), deskewed_ladder(one)
    if one.deskewed is None or not rungs or not more:
        return
    start = BOX if BOX in rungs else list(rungs)[-1]
    named = listed([f"{share} by {name}" for name, share in more.items()])
    same = one.deskewed.name == one.name
    opening = (
        f"Used on deskewed digits, as it was trained, it gets {named}"
        if same
        else f"{one.deskewed.name}, trained and used on deskewed digits, gets {named}"
    )
    stand = changed(one.alignments[start], one.deskewed.alignments, one.views)
    changes = {name: more[name].value - rungs[start].value for name in stand}
    verdicts = [f"{name} {'adds' if x > 0 else 'takes'} {points(x)}" for name, x in changes.items()]
    luck = "" if same else "; that the two were trained apart is not counted as chance"
    if stand:
        yield f"{opening}: beside {start} ({rungs[start]}), {listed(verdicts)} beyond chance{luck}."
    else:
        yield f"{opening}; by {start} {'it' if same else one.name} gets {rungs[start]}."
    yield from _not_shown([name for name in more if name not in stand])


def _highest(one: Transfer) -> Iterator[str]:
    """Name the best of all rungs as what it is: chosen by the labels that it is measured with."""
    rungs = {**ladder(one), **deskewed_ladder(one)}
    if len(rungs) > 1:
        most = max(share.value for share in rungs.values())
        best = [name for name, share in rungs.items() if share.value == most]
        verb = "is" if len(best) == 1 else "are"
        yield f"The highest of all rungs, looked up afterwards, {verb} {listed(best)} ({rungs[best[0]]})."


def _corrupted(one: Transfer, source: str) -> Iterator[str]:
    whole, shares = accuracies(one)[0], corruptions(one)
    stand = significant({name: whole.differs(share) for name, share in shares.items()})
    hurt = sorted((x for x in stand if shares[x].value < whole.value), key=lambda x: shares[x].value)
    if not hurt:
        return
    named = [f"{spelled(name)} (to {shares[name]})" for name in hurt[:MOST_NAMED]]
    most = ", most of all" if len(hurt) > MOST_NAMED else ":"
    yield f"Of {len(shares)} corruptions of {source} {len(hurt)} cost it accuracy beyond chance{most} {listed(named)}."
    placing = [name for name in hurt if name in PLACING]
    if placing and _closes_half(one):
        yield (
            f"That {listed(placing)} cost{'s' if len(placing) == 1 else ''} it accuracy fits what alignment brings: "
            f"{BOX}, which moves and scales digits, closes half or more of the gap (99 % confidence)."
        )


def _closes_half(one: Transfer) -> bool:
    """Return whether `BOX` closes half of the gap beyond chance, and the gap is beyond chance too."""
    rungs, source = ladder(one), accuracies(one)[0]
    plain = next(iter(rungs), BOX)
    if BOX not in rungs or plain == BOX or rungs[BOX].n < 2 * one.views:
        return False
    if source.value <= rungs[plain].value or source.differs(rungs[plain]) >= SIGNIFICANT:
        return False
    return closes_less(HALF, source, one.alignments[plain], one.alignments[BOX], one.views) < SIGNIFICANT


def _adapted(one: Transfer) -> Iterator[str]:
    """Say what each adaptation does to the accuracy on the same images."""
    tests = {method: paired(x.before, x.after, one.views) for method, x in one.adaptations.items()}
    stand = significant(tests)
    for method in stand:
        found = one.adaptations[method]
        before, after = share_of(found.before, one.views), share_of(found.after, one.views)
        verb = _verb(before, after)
        yield f"Adapting by {method} {verb} its accuracy from {before} to {after} of {after.n:,} images."
    yield from _not_shown([method for method in one.adaptations if method not in stand])


def spelled(name: str) -> str:
    """Return a name as words."""
    return name.replace("_", " ")
