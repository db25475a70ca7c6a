"""Proportions of images and effects on them, also for images that are not independent.

Proportions of different images are compared by Fisher's exact test; predictions for the same images, image by image,
by `paired`. If only proportions of the same images are known, Fisher's test treats them as different images: it is then
conservative. The p values of the effects are not corrected; `experiments.evaluation.effects.judge` does that.

Several variants of one image are correct or wrong together more often than independent images, so that their number
overstates the evidence. They are counted by the effective number of independent images: the true one over the design
effect (Kish 1965, "Survey sampling"; Rao & Scott 1981, for tests).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import hypot, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from experiments.evaluation import mcnemar, wilson_interval
from experiments.evaluation.effects import Effect

LEAST_RANKED = 5  # items, below which no rank correlation can be significant
Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Proportion:
    """The proportion of n images, n >= 1, that `count` are; `effect` is the design effect, >= 1."""

    count: int
    n: int
    effect: float = 1.0

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
        """Compute Wilson's interval, for the effective number of images (Dean & Pagano 2015)."""
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


def difference_interval(first: Proportion, second: Proportion, confidence: float = 0.95) -> tuple[float, float]:
    """Compute the interval of `first` minus `second` from the Wilson intervals of both (Newcombe 1998, method 10)."""
    (low, high), (low_2, high_2) = first.interval(confidence), second.interval(confidence)
    difference = first.value - second.value
    return (
        difference - hypot(first.value - low, high_2 - second.value),
        difference + hypot(high - first.value, second.value - low_2),
    )


def proportion_of(correct: NDArray[np.bool_], variants: int) -> Proportion:
    """Return the proportion of correct images, bool (m,) as in `paired`, with the design effect of their variants."""
    return Proportion(int(correct.sum()), correct.size, design_effect(correct.reshape(variants, -1)))


def change(what: str, measure: str, before: Proportion, after: Proportion) -> Effect:
    """Build the effect on proportions of different images, with Newcombe's interval and Fisher's p value."""
    low, high = difference_interval(after, before)
    size, p = after.value - before.value, before.differs(after)
    return Effect(what, measure, size, low, high, before.value, after.value, p, percent=True)


def paired_change(what: str, before: NDArray[np.bool_], after: NDArray[np.bool_], variants: int) -> Effect:
    """Build the effect on the accuracy on the same images, bool (m,), with the p value of `paired`.

    The interval is a normal one over images, with one more gained and one more lost, so that it is never empty.
    """
    gained = (after.astype(np.float64) - before).reshape(variants, -1).mean(axis=0)
    margin = Z * sqrt(float(np.append(gained, (1, -1)).var()) / (len(gained) + 2))
    size, p = float(gained.mean()), paired(before, after, variants)
    values = float(before.mean()), float(after.mean())
    return Effect(what, "accuracy", size, size - margin, size + margin, *values, p, percent=True)


def loss_difference(what: str, one: tuple[Proportion, Proportion], other: tuple[Proportion, Proportion]) -> Effect:
    """Build the effect on the change of accuracy of `one` against `other`, both before and after, by a normal test.

    The four proportions are taken as independent.
    """
    changed, changed_other = (after.value - before.value for before, after in (one, other))
    size, spread = changed - changed_other, sqrt(sum(each.variance for each in (*one, *other)))
    low, high = size - Z * spread, size + Z * spread
    p = 2 * (1 - NormalDist().cdf(abs(size) / spread))
    return Effect(what, "change of accuracy", size, low, high, changed_other, changed, p, percent=True)


def rank_correlation(what: str, pairs: Sequence[tuple[float, float]]) -> Iterator[Effect]:
    """Yield the effect of Kendall's rank correlation of pairs, if they are enough and both members vary."""
    from scipy.stats import kendalltau

    if len(pairs) >= LEAST_RANKED and all(len({*values}) > 1 for values in zip(*pairs, strict=True)):
        found = kendalltau(*zip(*pairs, strict=True))
        yield Effect(what, "Kendall's rank correlation", float(found.statistic), p=float(found.pvalue))
