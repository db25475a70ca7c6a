"""What is known of one network that is used in another domain, and the shares in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from experiments.evaluation import Metrics
from experiments.transfer.shares import Share, design_effect
from experiments.transfer.shift import CLASSES, Shift


@dataclass(frozen=True)
class Adaptation:
    """Accuracies before and after a network was adapted to the target, on `n` target images; NaN where unknown."""

    before: float
    after: float
    n: int


@dataclass(frozen=True)
class Deskewed:
    """What a network that was trained on the source's digits deskewed achieves on the target's, deskewed too.

    Attributes
    ----------
    name
        Of that network; that of the `Transfer` where it is the same.
    alignments
        Target accuracy by what was done to the target's digits, on as many images as the target has.
    """

    name: str
    alignments: Mapping[str, float]


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
        Target accuracy by the way in which target images were moved and scaled to lie like the source's, on as many
        images as `target`. The first is the plain one, which the others are compared with. NaN is left out, as below.
    alignment
        The one that `target` was measured with; empty where unknown.
    deskewed
        What deskewing the digits of both domains achieves; None where it was not tried.
    corruptions
        Source accuracy by corruption, on as many images as `source`.
    adaptations
        By method.
    right
        bool (m,): which target images it gets right, in an order that all networks share; None where unknown.
    views
        In how many forms the same digits are among the target's images, which are then all of the digits in their
        first form, all in their second, and so on.
    """

    name: str
    source: Metrics
    target: Metrics
    shift: Shift | None = None
    alignments: Mapping[str, float] = field(default_factory=dict)
    alignment: str = ""
    deskewed: Deskewed | None = None
    corruptions: Mapping[str, float] = field(default_factory=dict)
    adaptations: Mapping[str, Adaptation] = field(default_factory=dict)
    right: NDArray[np.bool_] | None = None
    views: int = 1


def accuracies(one: Transfer) -> tuple[Share, Share]:
    """Return how many images are recognised in the source and in the target."""
    effect = float(one.views) if one.right is None else design_effect(one.right.reshape(one.views, -1))
    source, target = (x.confusion for x in (one.source, one.target))
    return Share(int(source.trace()), int(source.sum())), Share(int(target.trace()), int(target.sum()), effect)


def taken_for(one: Transfer, digit: int, other: int) -> tuple[Share, Share] | None:
    """Return how many of a digit are taken for another in the source and in the target; None if it is not in both."""
    rows = one.source.confusion[digit], one.target.confusion[digit]
    if not all(row.any() for row in rows):
        return None
    before, after = (
        Share(int(row[other]), int(row.sum()), effect) for row, effect in zip(rows, (1.0, one.views), strict=True)
    )
    return before, after


def recalls(one: Transfer) -> dict[int, tuple[Share, Share]]:
    """Return how many of each digit are recognised in the source and in the target, of those that occur in both."""
    found = {digit: taken_for(one, digit, digit) for digit in range(CLASSES)}
    return {digit: pair for digit, pair in found.items() if pair}


def ladder(one: Transfer) -> dict[str, Share]:
    """Return how many target images are recognised under each alignment."""
    return _on_target(one, one.alignments)


def deskewed_ladder(one: Transfer) -> dict[str, Share]:
    """Return how many target images the network that was trained on deskewed digits recognises."""
    return _on_target(one, one.deskewed.alignments if one.deskewed else {})


def corruptions(one: Transfer) -> dict[str, Share]:
    """Return how many source images are recognised under each corruption."""
    return {name: Share(round(x * one.source.n), one.source.n) for name, x in one.corruptions.items() if isfinite(x)}


def adaptations(one: Transfer) -> dict[str, tuple[Share, Share]]:
    """Return how many target images are recognised before and after each adaptation."""
    return {
        method: (Share(round(x.before * x.n), x.n, one.views), Share(round(x.after * x.n), x.n, one.views))
        for method, x in one.adaptations.items()
        if x.n > 0 and isfinite(x.before) and isfinite(x.after)
    }


def _on_target(one: Transfer, found: Mapping[str, float]) -> dict[str, Share]:
    n = one.target.n
    return {name: Share(round(x * n), n, one.views) for name, x in found.items() if isfinite(x)}
