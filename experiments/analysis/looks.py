"""What confusing digits look like, beside the rest of their classes, in words that tests hold up."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from experiments.evaluation import holm

Key = TypeVar("Key", bound=Hashable)

SIGNIFICANT = 0.01  # after Holm's correction for all that is tested together
NOTABLE = 0.3  # standard deviations, below which a difference is not worth a word
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
    traits: Mapping[str, NDArray[np.float64]], labels: NDArray[np.int64], top: NDArray[np.int64]
) -> Iterator[str]:
    """Say in which traits the digits `top` differ from the rest of their classes.

    By Mann-Whitney tests within classes, for closed loops Fisher's, all together after Holm; and an effect to speak of.

    Parameters
    ----------
    traits
        float64 (n,) each, by name.
    labels
        int64 (n,), in 0..9.
    top
        int64 (m,): indices of the digits to tell of. With fewer than 10, or fewer than 10 others, nothing is said.
    """
    from scipy.stats import fisher_exact, mannwhitneyu

    rest = np.setdiff1d(np.arange(len(labels)), top)
    if len(top) < 10 or len(rest) < 10:
        return
    scores = {name: _within_class(values, labels, rest) for name, values in traits.items() if name in MORE}
    tests = {name: float(mannwhitneyu(score[top], score[rest]).pvalue) for name, score in scores.items()}
    unusual = _unusual_loops(traits["loops"], labels, rest) if "loops" in traits else np.zeros(len(labels), bool)
    table = [[unusual[part].sum(), (~unusual[part]).sum()] for part in (top, rest)]
    tests["loops"] = float(fisher_exact(table).pvalue)
    for name in standing(tests):
        if name == "loops":
            yield from _loops(float(unusual[top].mean()), float(unusual[rest].mean()))
        elif abs(effect := float(np.mean(scores[name][top]))) >= NOTABLE:
            word = (MORE if effect > 0 else LESS)[name]
            yield f"They are {word} than others of their class, by {abs(effect):.1f} standard deviations on average."


def _unusual_loops(loops: NDArray[np.float64], labels: NDArray[np.int64], rest: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which digits have another number of closed loops than most of their class, as the digits `rest` show."""
    usual = np.array([_mode(loops[rest][labels[rest] == digit]) for digit in range(10)])
    return np.asarray(loops != usual[labels])


def _loops(share: float, usually: float) -> Iterator[str]:
    if share > 1.5 * usually:
        yield (
            f"{share:.0%} of them have another number of closed loops than is usual for their class, against "
            f"{usually:.0%} of the rest: strokes that should meet do not, or the reverse."
        )


def leanings(
    traits: Mapping[str, NDArray[np.float64]],
    labels: NDArray[np.int64],
    top: NDArray[np.int64],
    others: NDArray[np.int64],
) -> Iterator[str]:
    """Say in which traits the digits `top` lie towards the class `others` that they are near (Wilcoxon, Holm)."""
    from scipy.stats import wilcoxon

    if len(top) < 10:
        return
    shifts = {}
    for name, values in traits.items():
        means = np.array([values[labels == digit].mean() if (labels == digit).any() else 0.0 for digit in range(10)])
        deviation = np.array([values[labels == digit].std() if (labels == digit).any() else 0.0 for digit in range(10)])
        own = labels[top]
        direction = np.sign(means[others] - means[own])
        shifts[name] = direction * (values[top] - means[own]) / np.where(deviation[own] > 0, deviation[own], 1)
    tests = {
        name: float(wilcoxon(shift, alternative="greater").pvalue) if np.any(shift) else 1.0
        for name, shift in shifts.items()
    }
    leaning = [name for name in standing(tests) if shifts[name].mean() >= NOTABLE]
    if leaning:
        names = listed([f"{name} ({shifts[name].mean():.1f})" for name in leaning])
        yield (
            f"In {names} they lie on the side of the class that they are near to, by so many standard deviations of "
            "their own class."
        )


def _within_class(
    values: NDArray[np.float64], labels: NDArray[np.int64], rest: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return values as deviations from their class, as the digits `rest` show it."""
    scores = np.zeros(len(values))
    for digit in np.unique(labels):
        own, usual = labels == digit, values[rest][labels[rest] == digit]
        if len(usual) > 1 and usual.std() > 0:
            scores[own] = (values[own] - usual.mean()) / usual.std()
    return scores


def standing(p_values: Mapping[Key, float]) -> list[Key]:
    """Return what stands after Holm's correction for all that is given, in the order given."""
    return [key for key, p in holm(p_values).items() if p < SIGNIFICANT]


def _mode(values: NDArray[np.float64]) -> float:
    if not len(values):
        return 0.0
    found, counts = np.unique(values, return_counts=True)
    return float(found[counts.argmax()])


def listed(items: Sequence[object]) -> str:
    """Return items as a list in words."""
    *most, last = [str(item) for item in items]
    return f"{', '.join(most)} and {last}" if most else last
