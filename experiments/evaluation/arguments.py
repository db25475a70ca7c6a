"""Validation of labels and probabilities."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import CLASSES
from experiments.errors import UsageError

SUM_TOLERANCE = 1e-3


def checked(labels: NDArray[Any], probabilities: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Validate labels and probabilities, and convert them to the types of the computations.

    Parameters
    ----------
    labels
        Integers (n,) in 0..9, n >= 1.
    probabilities
        Numbers (n, 10) in [0, 1], each row summing to 1 up to `SUM_TOLERANCE`.

    Returns
    -------
    tuple
        Labels as int64 (n,), probabilities as float64 (n, 10).

    Raises
    ------
    ValueError
        For anything else; the message says what was received.
    """
    labels = checked_labels(labels)
    return labels, checked_probabilities(probabilities, len(labels))


def checked_labels(labels: NDArray[Any]) -> NDArray[np.int64]:
    """Convert labels to int64 (n,); raise ValueError unless they are integers (n,) in 0..9 with n >= 1."""
    labels = np.asarray(labels)
    if labels.ndim != 1 or len(labels) == 0:
        raise ValueError(f"labels must have shape (n,) with n >= 1, received {labels.shape}")
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"labels must be integers, received {labels.dtype}")
    if labels.min() < 0 or labels.max() >= CLASSES:
        raise ValueError(f"labels must lie in 0..9, received {labels.min()}..{labels.max()}")
    return labels.astype(np.int64)


def checked_probabilities(probabilities: NDArray[Any], n: int) -> NDArray[np.float64]:
    """Convert probabilities to float64 (n, 10); raise ValueError unless each of n rows is a distribution."""
    probabilities = np.asarray(probabilities)
    if probabilities.shape != (n, CLASSES):
        raise ValueError(f"probabilities of {n} labels must have shape ({n}, 10), received {probabilities.shape}")
    probabilities = probabilities.astype(np.float64)
    if not np.isfinite(probabilities).all():
        row = int(np.flatnonzero(~np.isfinite(probabilities).all(axis=1))[0])
        raise ValueError(f"probabilities must be finite, received {probabilities[row].tolist()} in row {row}")
    low, high = probabilities.min(), probabilities.max()
    if low < -SUM_TOLERANCE or high > 1 + SUM_TOLERANCE:
        raise ValueError(f"probabilities must lie in [0, 1], received {low:g}..{high:g}")
    sums = probabilities.sum(axis=1)
    row = int(np.argmax(np.abs(sums - 1)))
    if abs(sums[row] - 1) > SUM_TOLERANCE:
        raise ValueError(f"each row of probabilities must sum to 1, received {sums[row]:g} in row {row}")
    return probabilities.clip(0, 1)


def check_probabilities(probabilities: NDArray[Any], model: str) -> None:
    """Check that the output of a network is a distribution over the digits for each image.

    Raises
    ------
    UsageError
        If it is not; the message names the model.
    """
    try:
        checked_probabilities(probabilities, len(probabilities))
    except ValueError as error:
        raise UsageError(f"{model} does not give probabilities ({error}); a digit network ends in softmax") from error
