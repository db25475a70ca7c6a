"""Networks with every kind of layer that adaptation treats in its own way, and digits of another domain."""

from functools import cache
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from experiments import datasets
from experiments.datasets import Split
from experiments.models import IMAGE_SHAPE, Architecture, Recipe
from experiments.models.layers import classifier
from experiments.transfer.predictions import predict_images

ImageArray = NDArray[np.uint8]
Arrays = list[NDArray[np.float64]]

RECIPE = Recipe(epochs=4, batch_size=32, learning_rate=1e-2, patience=0, dropout=0.3, precision="float32")
EPSILON = 1e-3  # of Keras's batch norm


def normed(recipe: Recipe = RECIPE) -> keras.Model:
    """Build a convolution and a dense layer, each with batch norm and dropout after it."""
    inputs = keras.Input(IMAGE_SHAPE, name="image")
    x = layers.Conv2D(4, 5, strides=3)(inputs)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Flatten()(layers.Dropout(recipe.dropout)(x))
    x = layers.BatchNormalization()(layers.Dense(16)(x))
    x = layers.Activation("tanh", name="penultimate")(x)
    x = layers.Dropout(recipe.dropout)(x)
    return keras.Model(inputs, classifier(x))


NORMED = Architecture(name="normed", summary="", source="", build=normed, parameters=4_534)


def dense(width: int = 3, activation: str = "relu", dropout: float = 0.0) -> keras.Model:
    """Build a network without batch norm."""
    inputs = keras.Input(IMAGE_SHAPE)
    x = layers.Dense(width, activation=activation, name="penultimate")(layers.Flatten()(inputs))
    return keras.Model(inputs, classifier(layers.Dropout(dropout)(x)))


def randomised(model: keras.Model, seed: int = 0, size: float = 1.0) -> keras.Model:
    """Give a network random weights, the statistics of batch norm and all; variances are positive."""
    rng = np.random.default_rng(seed)
    model.set_weights(
        [
            rng.uniform(0.5, 2, weight.shape)
            if weight.path.endswith("moving_variance")
            else rng.normal(size=weight.shape) * size / np.sqrt(max(1, np.prod(weight.shape[:-1])))
            for weight in model.weights
        ]
    )
    return model


def noise(n: int, seed: int = 0) -> ImageArray:
    return np.random.default_rng(seed).integers(0, 256, (n, 28, 28), dtype=np.uint8)


@cache
def uci() -> Split:
    return datasets.load("uci").train


def faded(images: ImageArray) -> ImageArray:
    """Return the digits as grey on grey."""
    return np.asarray(100 + images * 0.3).astype(np.uint8)


@cache
def _trained_weights() -> tuple[NDArray[Any], ...]:
    from experiments.training import fit

    return tuple(fit(NORMED, RECIPE, uci(), uci()).model.get_weights())


def trained() -> keras.Model:
    """Return a network that recognises the digits of `uci`."""
    model = normed()
    model.set_weights(_trained_weights())
    return model


def accuracy(model: keras.Model, images: ImageArray, labels: NDArray[np.int64]) -> float:
    return float((predict_images(model, images).argmax(axis=1) == labels).mean())


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def entropies(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(-(probabilities * np.log(probabilities + 1e-7)).sum(axis=-1))


def weights_of(model: keras.Model) -> Arrays:
    return [np.asarray(weight, np.float64) for weight in model.get_weights()]


def by_batch(weights: Arrays, images: ImageArray) -> tuple[Arrays, NDArray[np.float64]]:
    """Run `normed` in NumPy, batch norm by batch statistics; return these (mean, variance, ...) and probabilities."""
    statistics: Arrays = []

    def norm(x: NDArray[np.float64], scale: NDArray[np.float64], offset: NDArray[np.float64]) -> NDArray[np.float64]:
        axes = tuple(range(x.ndim - 1))
        mean, variance = x.mean(axis=axes), x.var(axis=axes)
        statistics.extend([mean, variance])
        return np.asarray((x - mean) / np.sqrt(variance + EPSILON) * scale + offset)

    kernel, bias, scale_1, offset_1, _, _, dense, dense_bias, scale_2, offset_2, _, _, logits, logits_bias = weights
    patches = sliding_window_view(images / 255, (5, 5), axis=(1, 2))[:, ::3, ::3]
    x = np.einsum("nijab,abf->nijf", patches, kernel[:, :, 0]) + bias
    x = np.maximum(norm(x, scale_1, offset_1), 0).reshape(len(images), -1)
    x = np.tanh(norm(x @ dense + dense_bias, scale_2, offset_2))
    return statistics, softmax(x @ logits + logits_bias)


STATISTICS = (4, 5, 10, 11)  # where in the weights of `normed`
SCALES_AND_OFFSETS = (2, 3, 8, 9)
CLASSIFIER = (12, 13)
