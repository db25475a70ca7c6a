"""Robustness to the corruptions of MNIST-C."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.corruptions import CORRUPTIONS

BASELINE = "mlp_small"


def correct_by_corruption(labels: NDArray[np.int64], predicted: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
    """Return the correctness of each image under each corruption.

    Parameters
    ----------
    labels, predicted
        int64 (15 n,), of the test images of a dataset ``<name>-c``: all n under the first corruption, then all under
        the second, and so on.

    Returns
    -------
    dict
        bool (n,) by corruption, in the published order.

    Raises
    ------
    ValueError
        If the images cannot be divided among the corruptions.
    """
    if len(labels) % len(CORRUPTIONS):
        raise ValueError(f"{len(labels)} images cannot be divided evenly among {len(CORRUPTIONS)} corruptions")
    return dict(zip(CORRUPTIONS, (labels == predicted).reshape(len(CORRUPTIONS), -1), strict=True))


def mean_corruption_error(accuracies: Mapping[str, float], baseline: Mapping[str, float]) -> float:
    """Compute the mean over corruptions of the error relative to a baseline's: 1 for the baseline, lower is better.

    Hendrycks & Dietterich (2019), "Benchmarking neural network robustness to common corruptions and perturbations",
    section 4; there in per cent and relative to AlexNet, here relative to ``mlp_small``.

    Parameters
    ----------
    accuracies, baseline
        Accuracy in [0, 1] by corruption, the same ones in both.

    Returns
    -------
    float
        NaN if the baseline makes no mistake at all; corruptions under which it makes none have no relative error and
        are left out.
    """
    ratios = [(1 - accuracies[name]) / (1 - accuracy) for name, accuracy in baseline.items() if accuracy < 1]
    return float(np.mean(ratios)) if ratios else float("nan")
