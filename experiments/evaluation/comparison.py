"""Comparison of models on the same images, with paired significance tests."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.evaluation.metrics import Metrics, measure
from experiments.evaluation.multiple_tests import holm


@dataclass(frozen=True)
class McNemar:
    """McNemar's test of two models; `only_a` and `only_b` count the images that only one classifies correctly."""

    only_a: int
    only_b: int
    p_value: float


@dataclass(frozen=True)
class PairedTest:
    """McNemar's test of the models named `a` and `b`; `p_holm` is the p value adjusted for all pairs."""

    a: str
    b: str
    test: McNemar
    p_holm: float


@dataclass(frozen=True, eq=False)
class Comparison:
    """Metrics and paired tests of several models on the same images.

    Attributes
    ----------
    rows
        Metrics by model name, in the order given.
    pairs
        One test for each pair of models, in the order given; empty for one model.
    missed_by_all
        Indices of the images that every model misclassifies, int64, ascending.
    """

    rows: Mapping[str, Metrics]
    pairs: tuple[PairedTest, ...]
    missed_by_all: NDArray[np.int64]


def compare(labels: NDArray[Any], probabilities: Mapping[str, NDArray[Any]]) -> Comparison:
    """Compute the metrics of each model, and test each pair of models for a difference.

    Parameters
    ----------
    labels
        True digits, integers (n,) in 0..9, n >= 1.
    probabilities
        Predicted distributions (n, 10) by model name; at least one model.

    Raises
    ------
    ValueError
        If an array is malformed, or there is no model.
    """
    if not probabilities:
        raise ValueError("a comparison needs at least one model, received none")
    rows = {name: measure(labels, predicted) for name, predicted in probabilities.items()}
    correct = {name: np.argmax(predicted, axis=1) == labels for name, predicted in probabilities.items()}
    missed_by_all = np.flatnonzero(~np.any(list(correct.values()), axis=0))
    return Comparison(rows, _pairs(correct), missed_by_all)


def mcnemar(correct_a: NDArray[np.bool_], correct_b: NDArray[np.bool_]) -> McNemar:
    """Test two models for equal accuracy with McNemar's exact two-sided test.

    Only the images on which exactly one model is right count. If both models were equally accurate, each of these
    would be in favor of either with probability 1/2 (McNemar 1947, doi:10.1007/BF02295996; recommended for classifiers
    by Dietterich 1998).

    Parameters
    ----------
    correct_a, correct_b
        Whether each model classifies each image correctly, bool (n,).

    Returns
    -------
    McNemar
        `p_value` is 1 if the models never differ.

    Raises
    ------
    ValueError
        If the arrays are not bool, or not of the same shape (n,).
    """
    from scipy.stats import binomtest

    if correct_a.ndim != 1 or correct_a.shape != correct_b.shape:
        raise ValueError(f"both arrays must have one shape (n,), received {correct_a.shape} and {correct_b.shape}")
    if correct_a.dtype != bool or correct_b.dtype != bool:
        raise ValueError(f"both arrays must be bool, received {correct_a.dtype} and {correct_b.dtype}")
    only_a = int(np.sum(correct_a & ~correct_b))
    only_b = int(np.sum(correct_b & ~correct_a))
    differ = only_a + only_b
    p_value = float(binomtest(only_a, differ).pvalue) if differ else 1.0
    return McNemar(only_a, only_b, p_value)


def _pairs(correct: Mapping[str, NDArray[np.bool_]]) -> tuple[PairedTest, ...]:
    names = list(combinations(correct, 2))
    tests = [mcnemar(correct[a], correct[b]) for a, b in names]
    adjusted = holm([test.p_value for test in tests])
    return tuple(PairedTest(a, b, test, p) for (a, b), test, p in zip(names, tests, adjusted, strict=True))
