"""Statistical tests of image attributes: differences between confusing digits and the rest of their classes."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.text import listed
from experiments.datasets import CLASSES
from experiments.evaluation.multiple_tests import significant_keys

NOTABLE = 0.3  # standard deviations: smaller differences are not mentioned
LEAST_DIGITS = 10  # in each group that is tested
MORE = {
    "thickness": "thicker",
    "slant": "leaning more to the right",
    "aspect": "wider for their height",
    "ink": "darker",
}
LESS = {
    "thickness": "thinner",
    "slant": "leaning more to the left",
    "aspect": "narrower for their height",
    "ink": "lighter",
}


def differences(
    attributes: Mapping[str, NDArray[np.float64]], labels: NDArray[np.int64], top: NDArray[np.int64]
) -> Iterator[str]:
    """Describe the attributes in which the digits `top` differ from the rest of their classes.

    Uses Mann-Whitney tests within classes, and Fisher's exact test for closed loops, with Holm's correction over all of
    them. A difference must also be notable in size.

    Parameters
    ----------
    attributes
        float64 (n,) by name.
    labels
        int64 (n,), in 0..9.
    top
        Indices, int64 (m,). Yields nothing for fewer than 10 of them, or fewer than 10 others.
    """
    from scipy.stats import fisher_exact, mannwhitneyu

    rest = np.setdiff1d(np.arange(len(labels)), top)
    if len(top) < LEAST_DIGITS or len(rest) < LEAST_DIGITS:
        return
    scores = {name: _within_class(values, labels, rest) for name, values in attributes.items() if name in MORE}
    tests = {name: float(mannwhitneyu(score[top], score[rest]).pvalue) for name, score in scores.items()}
    unusual = (
        _unusual_loops(attributes["loops"], labels, rest) if "loops" in attributes else np.zeros(len(labels), bool)
    )
    table = [[unusual[part].sum(), (~unusual[part]).sum()] for part in (top, rest)]
    tests["loops"] = float(fisher_exact(table).pvalue)
    for name in significant_keys(tests):
        if name == "loops":
            yield from _loops(float(unusual[top].mean()), float(unusual[rest].mean()))
        elif abs(effect := float(np.mean(scores[name][top]))) >= NOTABLE:
            comparative = (MORE if effect > 0 else LESS)[name]
            size = f"{abs(effect):.1f} standard deviations on average"
            yield f"They are {comparative} than others of their class, by {size}."


def _unusual_loops(loops: NDArray[np.float64], labels: NDArray[np.int64], rest: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return a mask of digits whose number of closed loops is not the mode of their class among the digits `rest`."""
    usual = np.array([_mode(loops[rest][labels[rest] == digit]) for digit in range(CLASSES)])
    return np.asarray(loops != usual[labels])


def _loops(proportion: float, usual: float) -> Iterator[str]:
    if proportion > 1.5 * usual:
        yield (
            f"{proportion:.0%} of them have an unusual number of closed loops for their class, against {usual:.0%} of "
            "the rest: strokes that should meet do not, or the reverse."
        )


def leanings(
    attributes: Mapping[str, NDArray[np.float64]],
    labels: NDArray[np.int64],
    top: NDArray[np.int64],
    others: NDArray[np.int64],
) -> Iterator[str]:
    """Describe the attributes in which the digits `top` lean towards the nearest other class `others` (m,).

    Uses Wilcoxon signed-rank tests with Holm's correction.
    """
    from scipy.stats import wilcoxon

    if len(top) < LEAST_DIGITS:
        return
    shifts = {}
    own, members = labels[top], [labels == digit for digit in range(CLASSES)]
    for name, values in attributes.items():
        means = np.array([values[member].mean() if member.any() else 0.0 for member in members])
        deviation = np.array([values[member].std() if member.any() else 0.0 for member in members])
        direction = np.sign(means[others] - means[own])
        shifts[name] = direction * (values[top] - means[own]) / np.where(deviation[own] > 0, deviation[own], 1)
    tests = {
        name: float(wilcoxon(shift, alternative="greater").pvalue) if np.any(shift) else 1.0
        for name, shift in shifts.items()
    }
    leaning = [name for name in significant_keys(tests) if shifts[name].mean() >= NOTABLE]
    if leaning:
        names = listed([f"{name} ({shifts[name].mean():.1f})" for name in leaning])
        yield (
            f"In {names} they lean towards the nearest other class; the numbers are standard deviations within their "
            "own class."
        )


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
