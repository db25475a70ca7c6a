"""How a network stands up to the corruptions of MNIST-C."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import CORRUPTIONS

BASELINE = "mlp_small"
LEAST_ERROR = 1e-12


def correct_by_corruption(labels: NDArray[np.int64], predicted: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
    """Return which digits are recognised under each corruption.

    Parameters
    ----------
    labels, predicted
        int64 (15 n,), of the test digits of a data set ``<name>-c``: all n under the first corruption, then all under
        the second, and so on.

    Returns
    -------
    bool (n,) by the corruption's name, in the published order.

    Raises
    ------
    ValueError
        When the digits cannot be divided among the corruptions.
    """
    if len(labels) % len(CORRUPTIONS):
        raise ValueError(f"{len(labels)} digits are not as many of each of {len(CORRUPTIONS)} corruptions")
    return dict(zip(CORRUPTIONS, (labels == predicted).reshape(len(CORRUPTIONS), -1), strict=True))


def mean_corruption_error(accuracies: Mapping[str, float], baseline: Mapping[str, float]) -> float:
    """Return the mean over corruptions of the error relative to a baseline's: 1 for the baseline, less is better.

    Hendrycks & Dietterich (2019), "Benchmarking neural network robustness to common corruptions and perturbations",
    section 4; there in per cent and relative to AlexNet, here relative to ``mlp_small``.

    Parameters
    ----------
    accuracies, baseline
        Accuracy in [0, 1] by corruption, the same ones in both.
    """
    ratios = [(1 - accuracy) / max(1 - baseline[name], LEAST_ERROR) for name, accuracy in accuracies.items()]
    return float(np.mean(ratios))


def interval_over_views(correct: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the 95 % interval of the accuracy over several views of the same digits.

    The views of one digit are recognised or missed together more often than by chance, so that their number
    overstates what is known; the interval is that of the mean of the digits' own accuracies.

    Parameters
    ----------
    correct
        bool (views, n), n >= 1.
    """
    of_digits = correct.mean(axis=0)
    mean, spread = float(of_digits.mean()), float(of_digits.std(ddof=1)) if len(of_digits) > 1 else 1.0
    margin = 1.959964 * spread / np.sqrt(len(of_digits))
    return max(0.0, mean - margin), min(1.0, mean + margin)
