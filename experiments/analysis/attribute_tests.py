"""Statistical tests of image attributes: differences between confusing digits and the rest of their classes."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import CLASSES
from experiments.evaluation.effects import Effect, judge

NOTABLE = 0.3  # standard deviations: smaller differences are negligible
NOTABLE_RATIO = 1.5  # of the proportions of digits with an unusual number of loops
LEAST_DIGITS = 10  # in each group that is tested
LOOPS = "loops"
MEAN = "mean, in standard deviations of the class"
LEAN = "lean towards the nearest other class, in standard deviations"


def differences(
    attributes: Mapping[str, NDArray[np.float64]], labels: NDArray[np.int64], top: NDArray[np.int64]
) -> tuple[Effect, ...]:
    """Compare the attributes of the digits `top` with those of the rest of their classes.

    Uses Mann-Whitney tests within classes, and Fisher's exact test for unusual numbers of closed loops, with Holm's
    correction over all of them.

    Parameters
    ----------
    attributes
        float64 (n,) by name.
    labels
        int64 (n,), in 0..9.
    top
        Indices, int64 (m,). There are no effects for fewer than 10 of them, or fewer than 10 others.
    """
    from scipy.stats import mannwhitneyu

    rest = np.setdiff1d(np.arange(len(labels)), top)
    if len(top) < LEAST_DIGITS or len(rest) < LEAST_DIGITS:
        return ()
    effects = []
    for name in (name for name in attributes if name != LOOPS):
        scores = _within_class(attributes[name], labels, rest)
        p = float(mannwhitneyu(scores[top], scores[rest]).pvalue)
        mean = float(scores[top].mean())
        effects.append(Effect(name, MEAN, mean, before=0, after=mean, p=p))  # by definition that of the rest is 0
    if LOOPS in attributes:
        effects.append(_unusual_loops(attributes[LOOPS], labels, top, rest))
    return judge(effects, _is_notable)


def _is_notable(effect: Effect) -> bool:
    if effect.percent:
        return effect.after > NOTABLE_RATIO * effect.before
    return abs(effect.size) >= NOTABLE


def _unusual_loops(
    loops: NDArray[np.float64], labels: NDArray[np.int64], top: NDArray[np.int64], rest: NDArray[np.int64]
) -> Effect:
    """Compare the proportions of digits whose number of closed loops is not the mode of their class in `rest`."""
    from scipy.stats import fisher_exact

    usual = np.array([_mode(loops[rest][labels[rest] == digit]) for digit in range(CLASSES)])
    unusual = loops != usual[labels]
    p = float(fisher_exact([[unusual[part].sum(), (~unusual[part]).sum()] for part in (top, rest)]).pvalue)
    before, after = float(unusual[rest].mean()), float(unusual[top].mean())
    what = "unusual number of closed loops"
    return Effect(what, "proportion", after - before, before=before, after=after, p=p, percent=True)


def leanings(
    attributes: Mapping[str, NDArray[np.float64]],
    labels: NDArray[np.int64],
    top: NDArray[np.int64],
    others: NDArray[np.int64],
) -> tuple[Effect, ...]:
    """Test whether the attributes of the digits `top` lean towards the mean of the nearest other class `others` (m,).

    Uses one-sided Wilcoxon signed-rank tests with Holm's correction. There are no effects for fewer than 10 digits.
    """
    from scipy.stats import wilcoxon

    if len(top) < LEAST_DIGITS:
        return ()
    effects = []
    own, members = labels[top], [labels == digit for digit in range(CLASSES)]
    for name, values in attributes.items():
        means = np.array([values[member].mean() if member.any() else 0.0 for member in members])
        deviation = np.array([values[member].std() if member.any() else 0.0 for member in members])
        direction = np.sign(means[others] - means[own])
        moved = direction * (values[top] - means[own]) / np.where(deviation[own] > 0, deviation[own], 1)
        p = float(wilcoxon(moved, alternative="greater").pvalue) if np.any(moved) else 1.0
        effects.append(Effect(name, LEAN, float(moved.mean()), p=p))
    return judge(effects, lambda effect: effect.size >= NOTABLE)


def _within_class(
    values: NDArray[np.float64], labels: NDArray[np.int64], rest: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Standardize values (n,) within each class, by mean and standard deviation of the digits `rest`."""
    scores = np.zeros(len(values))
    for digit in np.unique(labels):
        own, usual = labels == digit, values[rest][labels[rest] == digit]
        if len(usual) > 1 and usual.std() > 0:
            scores[own] = (values[own] - usual.mean()) / usual.std()
    return scores


def _mode(values: NDArray[np.float64]) -> float:
    if not len(values):
        return 0.0
    found, counts = np.unique(values, return_counts=True)
    return float(found[counts.argmax()])
