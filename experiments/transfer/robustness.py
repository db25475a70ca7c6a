"""How a network stands up to the corruptions of MNIST-C."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.corruptions import CORRUPTIONS
from experiments.evaluation import wilson_interval

BASELINE = "mlp_small"


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

    Returns
    -------
    NaN where the baseline makes no mistake at all; corruptions under which it makes none have no relative error and
    are left out.
    """
    ratios = [(1 - accuracies[name]) / (1 - accuracy) for name, accuracy in baseline.items() if accuracy < 1]
    return float(np.mean(ratios)) if ratios else float("nan")


def interval_over_views(correct: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the 95 % interval of the accuracy over several views of the same digits.

    The views of one digit are recognised or missed together more often than by chance, so that their number
    overstates what is known. The interval is Wilson's, of as many independent images as would tell the accuracy as
    well as the digits' own accuracies do by their spread (Dean & Pagano 2015, "Evaluating confidence interval methods
    for binomial proportions in clustered surveys"): at least as many as there are digits, and at most as there are
    views of them.

    Parameters
    ----------
    correct
        bool (views, n), n >= 1.
    """
    views, n = correct.shape
    share, of_digits = float(correct.mean()), correct.mean(axis=0)
    variance = float(of_digits.var(ddof=1)) / n if n > 1 and 0 < share < 1 else np.inf
    independent = np.clip(share * (1 - share) / variance if variance else np.inf, n, views * n)
    return wilson_interval(share * independent, float(independent))
