"""Single predictions: the wrong ones, and a table of all."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.evaluation.arguments import checked


def misclassified(labels: NDArray[Any], probabilities: NDArray[Any]) -> NDArray[np.int64]:
    """Return the indices of the wrong predictions, by descending confidence, then by index.

    Parameters
    ----------
    labels
        True digits, integers (n,) in 0..9, n >= 1.
    probabilities
        Predicted distributions, (n, 10).

    Returns
    -------
    ndarray
        int64 (mistakes,).

    Raises
    ------
    ValueError
        If an array is malformed.
    """
    labels, probabilities = checked(labels, probabilities)
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")]


def predictions_table(labels: NDArray[Any], probabilities: NDArray[Any]) -> list[dict[str, int | float | bool]]:
    """Build a table of the predictions with one row per image.

    Parameters
    ----------
    labels
        True digits, integers (n,) in 0..9, n >= 1.
    probabilities
        Predicted distributions, (n, 10).

    Returns
    -------
    list
        Rows of ``index``, ``label``, ``predicted``, ``correct``, ``confidence`` (the probability of the
        predicted digit) and ``p0`` to ``p9``.

    Raises
    ------
    ValueError
        If an array is malformed.
    """
    labels, probabilities = checked(labels, probabilities)
    predicted = probabilities.argmax(axis=1).tolist()
    rows: list[dict[str, int | float | bool]] = []
    for index, (label, guess, row) in enumerate(zip(labels.tolist(), predicted, probabilities.tolist(), strict=True)):
        summary = {"index": index, "label": label, "predicted": guess, "correct": guess == label}
        rows.append({**summary, "confidence": row[guess], **{f"p{digit}": p for digit, p in enumerate(row)}})
    return rows
