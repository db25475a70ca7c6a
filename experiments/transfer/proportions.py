"""Proportions of images and tests between them, also for images that are not independent.

All tests are at the 1 % level, after Holm's correction for the family of tests. Proportions of different images are
compared by Fisher's exact test; predictions for the same images, image by image, by `paired`. If only proportions of
the same images are known, Fisher's test treats them as different images: it is then conservative.

Several variants of one image are correct or wrong together more often than independent images, so that their number
overstates the evidence. They are counted by the effective number of independent images: the true one over the design
effect (Kish 1965, "Survey sampling"; Rao & Scott 1981, for tests).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from experiments.evaluation import mcnemar, wilson_interval
from experiments.evaluation.multiple_tests import SIGNIFICANT

LEAST_RANKED = 5  # items, below which no rank correlation can be significant


@dataclass(frozen=True)
class Proportion:
    """The proportion of n images, n >= 1, that `count` are; `effect` is the design effect, >= 1."""

    count: int
    n: int
    effect: float = 1.0

    def __str__(self) -> str:
        return f"{self.value:.1%}"

    @property
    def value(self) -> float:
        """The proportion, in [0, 1]."""
        return self.count / self.n

    @property
    def weight(self) -> float:
        """Effective number of independent images, >= 1."""
        return max(self.n / self.effect, 1.0)

    @property
    def successes(self) -> float:
        """Effective number of successes among them."""
        return self.count * self.weight / self.n

    @property
    def variance(self) -> float:
        """Variance of the proportion, with one more success and failure, so that it is positive for 0 and 1."""
        likely = (self.successes + 1) / (self.weight + 2)
        return likely * (1 - likely) / (self.weight + 2)

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Compute Wilson's interval."""
        return wilson_interval(self.successes, self.weight, confidence)

    def differs(self, other: "Proportion") -> float:
        """Compute the p value of Fisher's exact test, two-sided."""
        from scipy.stats import fisher_exact

        table = [[round(one.successes), round(one.weight - one.successes)] for one in (self, other)]
        return float(fisher_exact(table).pvalue)


def design_effect(correct: NDArray[np.bool_]) -> float:
    """Compute the number of variants of an image that carry as much evidence as one independent image.

    The variance of the per-image accuracies over that of independent images: 1 if variants are independent, their
    number if an image is either always or never correct. It is at least 1, and the number of variants if the variance
    cannot be estimated.

    Parameters
    ----------
    correct
        bool (variants, n), n >= 1.
    """
    variants, n = correct.shape
    accuracy = float(correct.mean())
    if n < 2 or accuracy in {0.0, 1.0}:
        return float(variants)
    variance = float(correct.mean(axis=0).var(ddof=1))
    return float(np.clip(variance * variants / (accuracy * (1 - accuracy)), 1, variants))


def paired(before: NDArray[np.bool_], after: NDArray[np.bool_], variants: int = 1) -> float:
    """Compute the p value of equal accuracy before and after on the same images, two-sided.

    McNemar's test. For several variants, Fisher's randomization test for pairs (Pitman 1937), which is the same for
    one: under the null hypothesis an image that is correct in k more of its variants after is as likely to be correct
    in k fewer. Unlike a sign test it compares the accuracies, also if many images gain little and few lose much.

    Parameters
    ----------
    before, after
        bool (m,): all images in their first variant, all in their second, and so on.
    variants
        Number of variants of each image.
    """
    if variants == 1:
        return mcnemar(before, after).p_value
    from scipy.signal import fftconvolve
    from scipy.stats import binom

    more = (after.astype(np.int64) - before).reshape(variants, -1).sum(axis=0)
    sizes, counts = np.unique(np.abs(more[more != 0]), return_counts=True)
    chances = np.ones(1)  # distribution of the total number of variants gained
    for size, n in zip(sizes.tolist(), counts.tolist(), strict=True):
        own = np.zeros(size * n + 1)
        own[::size] = binom.pmf(np.arange(n + 1), n, 0.5)
        chances = fftconvolve(chances, own)
    in_all = 2 * np.arange(len(chances)) - (len(chances) - 1)
    return float(np.clip(chances[np.abs(in_all) >= abs(more.sum())].sum(), 0, 1))


def closes_less(
    part: float, goal: Proportion, before: NDArray[np.bool_], after: NDArray[np.bool_], variants: int = 1
) -> float:
    """Compute the p value of less than this part of the gap to a goal being closed, one-sided, by a normal test.

    Parameters
    ----------
    part
        In (0, 1).
    goal
        Proportion of other images.
    before, after, variants
        As in `paired`, for at least two images.
    """
    start, end = (x.reshape(variants, -1).mean(axis=0) for x in (before, after))
    beyond = end - start - part * (goal.value - start)
    spread = sqrt(float(beyond.var(ddof=1)) / len(beyond) + part**2 * goal.variance)
    return 1 - NormalDist().cdf(float(beyond.mean()) / spread)


def lost_between(before: Proportion, after: Proportion, confidence: float = 0.95) -> tuple[float, float]:
    """Compute the interval of the loss from the Wilson intervals of both (Newcombe 1998, method 10)."""
    (low, high), (low_after, high_after) = before.interval(confidence), after.interval(confidence)
    lost = before.value - after.value
    return (
        lost - hypot(before.value - low, high_after - after.value),
        lost + hypot(high - before.value, after.value - low_after),
    )


def losses_differ(one: tuple[Proportion, Proportion], other: tuple[Proportion, Proportion]) -> float:
    """Compute the p value of two equal losses by a normal test; the four proportions are taken as independent."""
    lost, lost_by_other = (before.value - after.value for before, after in (one, other))
    spread = sqrt(sum(each.variance for each in (*one, *other)))
    return 2 * (1 - NormalDist().cdf(abs(lost - lost_by_other) / spread))


def ranked(some: Sequence[float], others: Sequence[float]) -> float | None:
    """Compute Kendall's rank correlation; None if it is not significant."""
    from scipy.stats import kendalltau

    if len(some) < LEAST_RANKED:
        return None
    found = kendalltau(some, others)
    return float(found.statistic) if found.pvalue < SIGNIFICANT else None


def points(difference: float) -> str:
    """Return a difference of proportions as text, without its sign."""
    return f"{abs(100 * difference):.1f} points"
