"""Summary of one model in a target domain, in words."""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite

from experiments.analysis.text import listed
from experiments.datasets import CLASSES
from experiments.evaluation.multiple_tests import SIGNIFICANT, significant_keys
from experiments.transfer.explanation_input import (
    ExplanationInput,
    accuracies,
    alignment_accuracies,
    changed,
    confusion,
    corruptions,
    deskewed_accuracies,
    proportion_of,
    recalls,
)
from experiments.transfer.proportions import Proportion, closes_less, lost_between, paired, points, ranked

MOST_NAMED = 3  # classes, confusions or corruptions in a sentence
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


def summarize_model(one: ExplanationInput, source: str, target: str) -> Iterator[str]:
    """Yield sentences on the loss of a model in the target domain, and on what it is associated with."""
    yield from _loss(one, source, target)
    yield from _classes(one, source, target)
    yield from _mistakes(one, source)
    yield from _shifted(one)
    yield from _aligned(one, target)
    yield from _deskewed(one)
    yield from _highest(one)
    yield from _corrupted(one, source)
    yield from _adapted(one)


def _loss(one: ExplanationInput, source: str, target: str) -> Iterator[str]:
    before, after = accuracies(one)
    bounds = [f"{low:.1%} to {high:.1%}" for low, high in (before.interval(), after.interval())]
    text = f"{one.name} classifies {before} of {source} correctly ({bounds[0]}) and {after} of {target} ({bounds[1]})"
    lost = before.value - after.value
    if (p := before.differs(after)) >= SIGNIFICANT:
        yield f"{text}: the difference is not significant (p = {p:.2g})."
    else:
        low, high = sorted(100 * (bound if lost > 0 else -bound) for bound in lost_between(before, after))
        verb = "loses" if lost > 0 else "gains"
        interval = f"95 % interval {low:.1f} to {high:.1f}"
        yield f"{text}: it {verb} {points(lost)} ({interval}), which is significant (p = {p:.2g})."
    if one.variants > 1:
        images, weight = after.n // one.variants, round(after.weight)
        finer = f" ({images:,} in comparisons by class)" if one.correct is not None else ""
        yield (
            f"The {after.n:,} images of {target} are {one.variants} variants of each of {images:,}: together they "
            f"count as {weight:,} independent images{finer}."
        )


def _classes(one: ExplanationInput, source: str, target: str) -> Iterator[str]:
    """Yield the classes that lose, gain and keep accuracy, all tested together."""
    found = recalls(one)
    significant = significant_keys({digit: before.differs(after) for digit, (before, after) in found.items()})
    change = {digit: after.value - before.value for digit, (before, after) in found.items()}
    for verb, sign in (("lose", -1), ("gain", 1)):
        digits = sorted(
            (digit for digit in significant if sign * change[digit] > 0), key=lambda digit: -sign * change[digit]
        )
        named = [f"{digit} (from {found[digit][0]} to {found[digit][1]})" for digit in digits[:MOST_NAMED]]
        if len(digits) > MOST_NAMED:
            yield f"{len(digits)} of {len(found)} classes {verb} significantly, most of all {listed(named)}."
        elif digits:
            single = "s" if len(digits) == 1 else ""
            noun = "loss" if sign < 0 else "gain"
            others = f"; for the others no {noun} is significant" if len(digits) < len(found) else ""
            yield f"By class, {listed(named)} {verb}{single} significantly{others}."
    yield from _kept({digit: pair for digit, pair in found.items() if digit not in significant}, len(found))
    missing = [digit for digit in range(CLASSES) if one.source.confusion[digit].any() and digit not in found]
    if missing:
        verb = "does" if len(missing) == 1 else "do"
        yield f"{listed(missing)} {verb} not occur in {target} and cannot be compared with {source}."


def _kept(found: Mapping[int, tuple[Proportion, Proportion]], together: int) -> Iterator[str]:
    """Yield the classes with a high source recall whose loss is small; the intervals hold for all `together`."""
    confidence = 1 - 0.05 / max(together, 1)
    known = {digit: pair for digit, pair in found.items() if min(share.weight for share in pair) >= LEAST_KNOWN}
    well = {digit: pair for digit, pair in known.items() if pair[0].value >= LEAST_KEPT}
    kept = [digit for digit, pair in well.items() if lost_between(*pair, confidence)[1] <= KEPT]
    if kept:
        verb = "keeps its" if len(kept) == 1 else "keep their"
        most = f"the loss is at most {points(KEPT)} (95 % confidence for all classes together)"
        yield f"{listed(kept)} {verb} accuracy: {most}."


def _mistakes(one: ExplanationInput, source: str) -> Iterator[str]:
    """Yield the confusions that are more frequent than in the source."""
    pairs = {}
    for digit in recalls(one):
        for other in set(range(CLASSES)) - {digit}:
            pair = confusion(one, digit, other)
            if pair and any(share.count for share in pair):
                pairs[digit, other] = pair
    significant = significant_keys({pair: before.differs(after) for pair, (before, after) in pairs.items()})
    more = {pair: pairs[pair] for pair in significant if pairs[pair][1].value > pairs[pair][0].value}
    new = sorted(
        (pair for pair in more if more[pair][1].successes >= LEAST_PAIR), key=lambda pair: -more[pair][1].count
    )
    if new:
        named = [f"{a} as {b} ({more[a, b][1]}, there {more[a, b][0]})" for a, b in new[:MOST_NAMED]]
        most = ", mostly" if len(new) > MOST_NAMED else ""
        yield f"Significantly more often than on {source}, it misclassifies{most} {listed(named)}."


def _shifted(one: ExplanationInput) -> Iterator[str]:
    found = one.shift
    if found is None or not all(isfinite(x) for x in (found.mmd, found.mmd_p_value, found.mmd_chance)):
        return
    numbers = f"squared MMD {found.mmd:.2g}, 95 % of permutations below {found.mmd_chance:.2g}"
    if found.mmd_p_value >= SIGNIFICANT:
        yield f"The shift in its feature space is not significant ({numbers}, p = {found.mmd_p_value:.2g})."
    else:
        yield f"The domains differ significantly in its feature space ({numbers})."
        if isfinite(found.a_distance):
            share = (1 + found.a_distance / 2) / 2
            yield (
                f"A linear classifier recognizes the domain of about {share:.0%} of the images, against 50% by "
                f"guessing (A-distance {found.a_distance:.2f} of 2)."
            )
        if found.coral_chance > 0 and found.coral > SIGNIFICANT_MULTIPLE * one.variants * found.coral_chance:
            times = found.coral / found.coral_chance
            yield (
                f"The covariances of the features differ, too: their CORAL distance is about {times:,.0f} times its "
                "mean between two samples of the source."
            )
    losses = {digit: before.value - after.value for digit, (before, after) in recalls(one).items()}
    moved = {digit: found.class_distances[digit] for digit in losses if isfinite(found.class_distances[digit])}
    if (ties := ranked([moved[digit] for digit in moved], [losses[digit] for digit in moved])) is not None:
        more = "more" if ties > 0 else "less"
        yield (
            f"The farther the mean of a class moves in feature space, the {more} it loses (Kendall's rank correlation "
            f"{ties:.2f} over {len(moved)} classes)."
        )


def _aligned(one: ExplanationInput, target: str) -> Iterator[str]:
    """Yield the effect of moving and scaling the target images for the same model: `BOX` first, then the others."""
    accuracy_of = alignment_accuracies(one)
    if len(accuracy_of) < 2:
        return
    if one.alignment:
        yield f"All of the above is with {target} aligned by {one.alignment}."
    plain, *others = accuracy_of
    significant = changed(one.alignments[plain], {name: one.alignments[name] for name in others}, one.variants)
    if BOX in others:
        yield _boxed(accuracies(one)[0], accuracy_of[plain], accuracy_of[BOX], BOX in significant, (plain, target))
    more = {name: accuracy_of[name] for name in others if name != BOX}
    changes = [
        f"{name} {_verb(accuracy_of[plain], more[name])} it to {more[name]}" for name in more if name in significant
    ]
    if changes:
        yield f"Compared with {plain} ({accuracy_of[plain]}), {listed(changes)}, significantly."
    yield from _not_significant([name for name in more if name not in significant])


def _boxed(source: Proportion, start: Proportion, end: Proportion, significant: bool, names: tuple[str, str]) -> str:
    plain, target = names
    text = f"With alignment {plain} it classifies {start} of {target} correctly, with {BOX} {end}"
    if not significant:
        return f"{text}: the difference is not significant."
    change = points(end.value - start.value)
    if end.value < start.value:
        return f"{text}, significantly less by {change}."
    return f"{text}, significantly more by {change}{_closed(source, start, end)}."


def _closed(source: Proportion, start: Proportion, end: Proportion) -> str:
    """Return the part of the gap between the domains that this closes, if there is a significant gap."""
    gap, left = source.value - start.value, source.value - end.value
    if gap <= 0 or source.differs(start) >= SIGNIFICANT:
        return ""
    if left <= 0:
        return f": about all of the gap of {points(gap)}"
    rest = "is significant" if source.differs(end) < SIGNIFICANT else "is not significant"
    return f": about {(gap - left) / gap:.0%} of the gap of {points(gap)}; the rest, {points(left)}, {rest}"


def _verb(before: Proportion, after: Proportion) -> str:
    return "raises" if after.value > before.value else "lowers"


def _not_significant(names: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"For {listed(names)} no change is significant."


def _deskewed(one: ExplanationInput) -> Iterator[str]:
    """Yield the effect of deskewing both domains beyond `BOX`, or beyond the last alignment without it."""
    accuracy_of, more = alignment_accuracies(one), deskewed_accuracies(one)
    if one.deskewed is None or not accuracy_of or not more:
        return
    start = BOX if BOX in accuracy_of else list(accuracy_of)[-1]
    named = listed([f"{share} with {name}" for name, share in more.items()])
    same = one.deskewed.name == one.name
    opening = (
        f"On deskewed images, as it was trained, it has {named}"
        if same
        else f"{one.deskewed.name}, trained and used on deskewed images, has {named}"
    )
    significant = changed(one.alignments[start], one.deskewed.alignments, one.variants)
    changes = {name: more[name].value - accuracy_of[start].value for name in significant}
    verdicts = [f"{name} {'adds' if x > 0 else 'loses'} {points(x)}" for name, x in changes.items()]
    apart = "" if same else "; the variation between two trainings is not included"
    if significant:
        yield f"{opening}: compared with {start} ({accuracy_of[start]}), {listed(verdicts)}, significantly{apart}."
    else:
        yield f"{opening}; with {start} {'it' if same else one.name} has {accuracy_of[start]}."
    yield from _not_significant([name for name in more if name not in significant])


def _highest(one: ExplanationInput) -> Iterator[str]:
    """Yield the best alignment, and that it was selected on the labels that it is measured with."""
    accuracy_of = {**alignment_accuracies(one), **deskewed_accuracies(one)}
    if len(accuracy_of) > 1:
        most = max(share.value for share in accuracy_of.values())
        best = [name for name, share in accuracy_of.items() if share.value == most]
        verb = "is" if len(best) == 1 else "are"
        yield f"The best alignment in hindsight, by the test labels, {verb} {listed(best)} ({accuracy_of[best[0]]})."


def _corrupted(one: ExplanationInput, source: str) -> Iterator[str]:
    whole, shares = accuracies(one)[0], corruptions(one)
    significant = significant_keys({name: whole.differs(share) for name, share in shares.items()})
    hurt = sorted((x for x in significant if shares[x].value < whole.value), key=lambda x: shares[x].value)
    if not hurt:
        return
    named = [f"{spelled(name)} (to {shares[name]})" for name in hurt[:MOST_NAMED]]
    most = ", most of all" if len(hurt) > MOST_NAMED else ":"
    which = f"{len(hurt)} of {len(shares)} corruptions of {source}"
    yield f"{which} lower its accuracy significantly{most} {listed(named)}."
    placing = [name for name in hurt if name in PLACING]
    if placing and _closes_half(one):
        yield (
            f"The loss under {listed(placing)} is consistent with the gain of alignment: {BOX}, which moves and scales "
            "images, closes at least half of the gap (99 % confidence)."
        )


def _closes_half(one: ExplanationInput) -> bool:
    """Return whether `BOX` closes significantly more than half of the gap, and the gap is significant too."""
    accuracy_of, source = alignment_accuracies(one), accuracies(one)[0]
    plain = next(iter(accuracy_of), BOX)
    if BOX not in accuracy_of or plain == BOX or accuracy_of[BOX].n < 2 * one.variants:
        return False
    if source.value <= accuracy_of[plain].value or source.differs(accuracy_of[plain]) >= SIGNIFICANT:
        return False
    return closes_less(HALF, source, one.alignments[plain], one.alignments[BOX], one.variants) < SIGNIFICANT


def _adapted(one: ExplanationInput) -> Iterator[str]:
    """Yield the effect of each adaptation on the accuracy on the same images."""
    tests = {method: paired(x.before, x.after, one.variants) for method, x in one.adaptations.items()}
    significant = significant_keys(tests)
    for method in significant:
        found = one.adaptations[method]
        before, after = proportion_of(found.before, one.variants), proportion_of(found.after, one.variants)
        verb = _verb(before, after)
        change = f"from {before} to {after} of {after.n:,} images"
        yield f"Adaptation by {method} {verb} its accuracy significantly, {change}."
    yield from _not_significant([method for method in one.adaptations if method not in significant])


def spelled(name: str) -> str:
    """Return a name with spaces instead of underscores."""
    return name.replace("_", " ")
