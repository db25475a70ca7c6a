"""Settings with which a trained network reads pictures."""

from typing import TYPE_CHECKING

import numpy as np

from experiments.datasets import Split
from experiments.evaluation.calibration import fit_temperature
from experiments.inference.network import Network, Settings
from experiments.models import Recipe
from experiments.models.onnx_export import to_onnx
from experiments.training import augmented

if TYPE_CHECKING:
    import keras

REJECTED = 0.01  # of the augmented validation digits


def reading_settings(model: "keras.Model", recipe: Recipe, validation: Split, source: str) -> Settings:
    """Fit the temperature, and the score below which a picture is taken for no digit.

    Both are fitted on validation digits that are augmented as the training digits were: as they are published, they are
    cleaner than any picture.
    """
    from scipy.special import logsumexp

    images, labels = augmented(validation, recipe)
    logits = Network(to_onnx(model)).scores(images).logits
    scores = logsumexp(logits.astype(np.float64), axis=1)
    return Settings(fit_temperature(logits, labels), float(np.quantile(scores, REJECTED)), source)
