"""Predictions of a model for images, and their entropy."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import Split
from experiments.models.prediction import predict

if TYPE_CHECKING:
    import keras

ImageArray = NDArray[np.uint8]


def predict_images(model: "keras.Model", images: ImageArray) -> NDArray[np.float32]:
    """Predict the class probabilities, float32 (n, 10), of images, uint8 (n, 28, 28)."""
    probabilities = predict(model, Split(np.ascontiguousarray(images), np.zeros(len(images), np.int64)))
    return probabilities.astype(np.float32, copy=False)


def predict_sets(
    model: "keras.Model",
    sets: Mapping[str, ImageArray],
    on_progress: object = None,  # noqa: ARG001 - a cached stage is given one
) -> dict[str, NDArray[np.float32]]:
    """Predict the class probabilities of several sets of images by name."""
    return {name: predict_images(model, images) for name, images in sets.items()}


def entropy(probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    """Compute the entropy in nats, (n,), of distributions (n, 10)."""
    exact = probabilities.astype(np.float64)
    return -(exact * np.log(np.clip(exact, np.finfo(np.float64).tiny, None))).sum(axis=1)


def mean_entropy(probabilities: NDArray[np.float32]) -> float:
    """Compute the mean entropy in nats of distributions (n, 10)."""
    return float(entropy(probabilities).mean())
