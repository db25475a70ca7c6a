"""Shares of images and tests between them, also where images are not independent.

All tests are at 1 %, after Holm's correction for all that is tested together. Shares of different images are compared
by Fisher's exact test. What is known image by image, of the same ones, is compared by `paired`. Where of the same ones
only shares are known, Fisher's test takes them for different ones: it finds too little then, and what it does not find
may still be there.

Several views of one digit are recognised or missed together more often than by chance, so that their number overstates
what is known. They are counted by the number of independent images that tell as much: the true one over the design
effect (Kish 1965, "Survey sampling"; Rao & Scott 1981, for tests).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.attribute_tests import SIGNIFICANT
from experiments.evaluation import mcnemar, wilson_interval

LEAST_RANKED = 5  # things, below which no ranking of them is beyond chance


@dataclass(frozen=True)
class Share:
    """How many of n images, n >= 1; `effect` of them tell as much as one that is independent of all others."""

    count: int
    n: int
    effect: float = 1.0

    def __str__(self) -> str:
        return f"{self.value:.1%}"

    @property
    def value(self) -> float:
        """In [0, 1]."""
        return self.count / self.n

    @property
    def weight(self) -> float:
        """How many independent images tell as much, >= 1."""
        return max(self.n / self.effect, 1.0)

    @property
    def successes(self) -> float:
        """How many of these succeed."""
        return self.count * self.weight / self.n

    @property
    def variance(self) -> float:
        """Of the share, with a success and a failure more, so that it is not 0 where all or none succeed."""
        likely = (self.successes + 1) / (self.weight + 2)
        return likely * (1 - likely) / (self.weight + 2)

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return Wilson's interval."""
        return wilson_interval(self.successes, self.weight, confidence)

    def differs(self, other: "Share") -> float:
        """Return the p value of Fisher's exact test, two-sided."""
        from scipy.stats import fisher_exact

        table = [[round(one.successes), round(one.weight - one.successes)] for one in (self, other)]
        return float(fisher_exact(table).pvalue)


def design_effect(right: NDArray[np.bool_]) -> float:
    """Return how many views of digits tell as much as one image that is independent of all others.

    The variance of the digits' own means over that of means of independent images: 1 where views have nothing in
    common, their number where a digit is either always recognised or never. It is at least 1, and the number of views
    where the digits do not tell.

    Parameters
    ----------
    right
        bool (views, n), n >= 1.
    """
    views, n = right.shape
    share = float(right.mean())
    if n < 2 or share in {0.0, 1.0}:
        return float(views)
    variance = float(right.mean(axis=0).var(ddof=1))
    return float(np.clip(variance * views / (share * (1 - share)), 1, views))


def paired(before: NDArray[np.bool_], after: NDArray[np.bool_], views: int = 1) -> float:
    """Return the p value of the same images being recognised as often before as after, two-sided.

    McNemar's test. Of several views, Fisher's randomisation test for pairs (Pitman 1937), which is the same for one: a
    digit that is right in k more of its views after could by chance as well be right in k fewer. Unlike a sign test it
    is one of the accuracies, also where many digits gain little and few lose much.

    Parameters
    ----------
    before, after
        bool (m,): all digits in their first form, all in their second, and so on.
    views
        Of each digit.
    """
    if views == 1:
        return mcnemar(before, after).p_value
    from scipy.signal import fftconvolve
    from scipy.stats import binom

    more = (after.astype(np.int64) - before).reshape(views, -1).sum(axis=0)
    sizes, counts = np.unique(np.abs(more[more != 0]), return_counts=True)
    chances = np.ones(1)  # of the views that digits gain to be so many together, those that digits lose left out
    for size, n in zip(sizes.tolist(), counts.tolist(), strict=True):
        own = np.zeros(size * n + 1)
        own[::size] = binom.pmf(np.arange(n + 1), n, 0.5)
        chances = fftconvolve(chances, own)
    in_all = 2 * np.arange(len(chances)) - (len(chances) - 1)
    return float(np.clip(chances[np.abs(in_all) >= abs(more.sum())].sum(), 0, 1))


def closes_less(part: float, goal: Share, before: NDArray[np.bool_], after: NDArray[np.bool_], views: int = 1) -> float:
    """Return the p value of less than this part of the gap up to a goal being closed, one-sided, of a normal deviation.

    Parameters
    ----------
    part
        In (0, 1).
    goal
        Of other images.
    before, after, views
        As of `paired`, of at least two digits.
    """
    start, end = (x.reshape(views, -1).mean(axis=0) for x in (before, after))
    beyond = end - start - part * (goal.value - start)
    spread = sqrt(float(beyond.var(ddof=1)) / len(beyond) + part**2 * goal.variance)
    return 1 - NormalDist().cdf(float(beyond.mean()) / spread)


def lost_between(before: Share, after: Share, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval of what is lost, from Wilson's of both shares (Newcombe 1998, method 10)."""
    (low, high), (low_after, high_after) = before.interval(confidence), after.interval(confidence)
    lost = before.value - after.value
    return (
        lost - hypot(before.value - low, high_after - after.value),
        lost + hypot(high - before.value, after.value - low_after),
    )


def losses_differ(one: tuple[Share, Share], other: tuple[Share, Share]) -> float:
    """Return the p value of two losing the same, of a normal deviation; four shares taken as independent."""
    lost, lost_by_other = (before.value - after.value for before, after in (one, other))
    spread = sqrt(sum(share.variance for share in (*one, *other)))
    return 2 * (1 - NormalDist().cdf(abs(lost - lost_by_other) / spread))


def ranked(some: Sequence[float], others: Sequence[float]) -> float | None:
    """Return Kendall's rank correlation, where it is beyond chance."""
    from scipy.stats import kendalltau

    if len(some) < LEAST_RANKED:
        return None
    found = kendalltau(some, others)
    return float(found.statistic) if found.pvalue < SIGNIFICANT else None


def points(share: float) -> str:
    """Return a difference of shares in words, without its sign."""
    return f"{abs(100 * share):.1f} points"
