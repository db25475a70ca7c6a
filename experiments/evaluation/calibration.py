"""Calibration: the agreement of confidence and accuracy."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.evaluation.arguments import checked

BINS = 15  # as Guo et al.


@dataclass(frozen=True, eq=False)
class Calibration:
    """Accuracy by confidence, in bins of confidence (the data of a reliability diagram).

    Attributes
    ----------
    edges
        Bounds of the bins, float64 (bins + 1,) from 0 to 1; a bin includes its upper bound.
    counts
        Predictions in each bin, int64 (bins,).
    confidence
        Mean confidence in each bin, float64 (bins,); NaN in an empty bin.
    accuracy
        Proportion of correct predictions in each bin, float64 (bins,); NaN in an empty bin.
    ece
        Expected calibration error, in [0, 1]: mean of abs(accuracy - confidence), weighted by count.
    mce
        Maximum calibration error, in [0, 1]: the largest such gap.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    ece: float
    mce: float


def calibration(labels: NDArray[Any], probabilities: NDArray[Any]) -> Calibration:
    """Compute the calibration of predictions in 15 bins of equal width.

    Follows Guo et al. 2017, "On Calibration of Modern Neural Networks" (arXiv:1706.04599).

    Parameters
    ----------
    labels
        True digits, integers (n,) in 0..9.
    probabilities
        Predicted distributions, (n, 10).

    Raises
    ------
    ValueError
        If an array is malformed.
    """
    labels, probabilities = checked(labels, probabilities)
    confidences = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, BINS + 1)
    # Only inner edges: rounding at 0 or 1 cannot push a confidence out of the outermost bins.
    members = np.searchsorted(edges[1:-1], confidences, side="left")
    counts = np.bincount(members, minlength=BINS)
    confidence = _means(members, confidences, counts)
    accuracy = _means(members, correct, counts)
    gaps = np.abs(accuracy - confidence)
    filled = counts > 0
    ece = float(np.average(gaps[filled], weights=counts[filled]))
    return Calibration(edges, counts, confidence, accuracy, ece, float(gaps[filled].max()))


def _means(members: NDArray[np.int64], values: NDArray[Any], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Compute the mean of `values` in each bin; NaN in empty bins."""
    sums = np.bincount(members, weights=values, minlength=len(counts))
    return np.divide(sums, counts, out=np.full(len(counts), np.nan), where=counts > 0)


MAX_TEMPERATURE = 20.0


def fit_temperature(logits: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """Fit the temperature that divides logits so that the likelihood of the labels is greatest (Guo et al. 2017).

    Parameters
    ----------
    logits
        Float (n, 10), n >= 1.
    labels
        int64 (n,), 0 to 9.

    Returns
    -------
    In [0.05, 20]; above 1 if the network is too confident.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    values = np.asarray(logits, np.float64)
    each = np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        return -float(log_softmax(values / np.exp(log_temperature), axis=1)[each, labels].mean())

    highest = np.log(MAX_TEMPERATURE)
    return float(np.exp(minimize_scalar(loss, bounds=(-highest, highest), method="bounded").x))
