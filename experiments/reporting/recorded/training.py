"""Figures of trainings."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import Split
from experiments.reporting.drawing import Drawing
from experiments.reporting.figures.prediction_grid import prediction_grid
from experiments.reporting.figures.training_curves import training_curves


def training_drawings(
    history: Mapping[str, Sequence[float]], shown: Split, probabilities: NDArray[np.float32], title: str
) -> dict[str, Drawing]:
    """Return the figures of a training by name.

    Parameters
    ----------
    history
        As for `training_curves`.
    shown, probabilities
        At most 25 validation images, and predictions for them, (n, 10).
    title
        Names model and data in the titles.
    """
    return {
        "training_curves": Drawing.of(training_curves, history, f"{title}: training"),
        "sample_predictions": Drawing.of(
            prediction_grid, shown.images, shown.labels, probabilities, f"{title}: validation digits"
        ),
    }
