"""What is known of one network that is used in another domain, and the shares in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.attribute_tests import significant
from experiments.datasets import CLASSES
from experiments.evaluation import Metrics
from experiments.transfer.shares import Share, design_effect, paired
from experiments.transfer.shift import Shift


@dataclass(frozen=True, eq=False)
class Adaptation:
    """Which target images a network gets right before and after it was adapted to the target: bool (m,), m >= 1."""

    before: NDArray[np.bool_]
    after: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Deskewed:
    """What a network that was trained on the source's digits deskewed achieves on the target's, deskewed too.

    Attributes
    ----------
    name
        Of that network; that of the `Transfer` where it is the same.
    alignments
        Which target images it gets right, by what was done to the target's digits; as of the `Transfer`.
    """

    name: str
    alignments: Mapping[str, NDArray[np.bool_]]


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
        Which target images it gets right, bool (m,), by the way in which they were moved and scaled to lie like the
        source's. The first is the plain one, which the others are compared with. All are in the order of `right`.
    alignment
        The one that `target` was measured with; empty where unknown.
    deskewed
        What deskewing the digits of both domains achieves; None where it was not tried.
    corruptions
        Source accuracy by corruption, on as many images as `source`. NaN is left out.
    adaptations
        By method, in the order of `right`.
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
    alignments: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
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
    return {name: share_of(right, one.views) for name, right in one.alignments.items()}


def deskewed_ladder(one: Transfer) -> dict[str, Share]:
    """Return how many target images the network that was trained on deskewed digits recognises."""
    found = one.deskewed.alignments if one.deskewed else {}
    return {name: share_of(right, one.views) for name, right in found.items()}


def corruptions(one: Transfer) -> dict[str, Share]:
    """Return how many source images are recognised under each corruption."""
    return {name: Share(round(x * one.source.n), one.source.n) for name, x in one.corruptions.items() if isfinite(x)}


def share_of(right: NDArray[np.bool_], views: int) -> Share:
    """Return how many of these images are recognised; they weigh as much as their digits tell.

    `right` is bool (views * n,): n digits in the first view, then in the second, and so on.
    """
    return Share(int(right.sum()), right.size, design_effect(right.reshape(views, -1)))


def changed(before: NDArray[np.bool_], found: Mapping[str, NDArray[np.bool_]], views: int) -> list[str]:
    """Return under which names the same images are recognised more or less often than before, beyond chance.

    All arrays are bool (views * n,), as for `share_of`.
    """
    return significant({name: paired(before, after, views) for name, after in found.items()})
