"""Whether a probability of 0.9 is right nine times in ten."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.evaluation.arguments import checked


@dataclass(frozen=True, eq=False)
class Calibration:
    """Confidence against accuracy, binned by confidence.

    Attributes
    ----------
    edges
        Bounds of the bins, float64 (bins + 1,) from 0 to 1; a bin includes its upper bound.
    counts
        Predictions in each bin, int64 (bins,).
    confidence
        Mean confidence in each bin, float64 (bins,); NaN in an empty bin.
    accuracy
        Share of correct predictions in each bin, float64 (bins,); NaN in an empty bin.
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


def calibration(labels: NDArray[Any], probabilities: NDArray[Any], bins: int = 15) -> Calibration:
    """Return how well the probability of the predicted digit matches how often it is right.

    Bins of equal width, as in Guo et al. 2017, "On Calibration of Modern Neural Networks"
    (arXiv:1706.04599); 15 is their number too.

    Parameters
    ----------
    labels
        True digits, integers (n,) in 0..9.
    probabilities
        Predicted distributions, (n, 10).
    bins
        Number of bins, >= 1.

    Raises
    ------
    ValueError
        For malformed arrays or no bins.
    """
    if bins < 1:
        raise ValueError(f"bins must be at least 1, received {bins}")
    labels, probabilities = checked(labels, probabilities)
    confidences = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, bins + 1)
    # Only inner edges: rounding at 0 or 1 cannot push a confidence out of the outermost bins.
    members = np.searchsorted(edges[1:-1], confidences, side="left")
    counts = np.bincount(members, minlength=bins)
    confidence = _means(members, confidences, counts)
    accuracy = _means(members, correct, counts)
    gaps = np.abs(accuracy - confidence)
    filled = counts > 0
    ece = float(np.average(gaps[filled], weights=counts[filled]))
    return Calibration(edges, counts, confidence, accuracy, ece, float(gaps[filled].max()))


def _means(members: NDArray[np.int64], values: NDArray[Any], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean of `values` in each bin, NaN in empty ones."""
    sums = np.bincount(members, weights=values, minlength=len(counts))
    return np.divide(sums, counts, out=np.full(len(counts), np.nan), where=counts > 0)
