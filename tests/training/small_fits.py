"""Networks, recipes and digits that are trained in a second."""

from functools import cache
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from experiments import datasets
from experiments.datasets import Split
from experiments.models import IMAGE_SHAPE, MODELS, Architecture, Recipe
from experiments.training import Epoch, Fit, fit

PERCEPTRON = MODELS["mlp_small"]
PLAIN = Recipe(epochs=5, batch_size=32, learning_rate=3e-3, patience=0, precision="float32", network={"units_1": 128})
# Everything that draws random numbers is on.
RANDOM = PLAIN.override(
    {"epochs": 3, "dropout": 0.3, "rotation": 10, "zoom": 0.1, "shift": 0.1, "schedule": "one-cycle", "seed": 7}
)
STEPS = 41  # of an epoch, the last with a smaller batch
FEW = 9  # of an epoch of `fit_few`


def build(recipe: Recipe) -> Any:
    """Build a network that has every kind of layer with a state of its own."""
    from keras import layers

    from experiments.models.layers import LocalResponseNormalization, classifier

    inputs = keras.Input(IMAGE_SHAPE)
    x = layers.Conv2D(8, 5, strides=3, activation="relu")(inputs)
    x = LocalResponseNormalization()(x)
    x = layers.BatchNormalization()(x)
    x = layers.Dropout(recipe.dropout)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(32, activation="relu", name="penultimate")(x)
    x = layers.Dropout(recipe.dropout)(x)
    return keras.Model(inputs, classifier(x))


CONVOLUTIONAL = Architecture(name="convolutional", summary="", source="", build=build, parameters=17_474)


@cache
def uci() -> tuple[Split, Split]:
    """Return the training and the validation digits."""
    return datasets.split_validation(datasets.load("uci").train, 0.1)


def misleading(split: Split) -> Split:
    """Return the digits under labels one too high: what is learnt from true labels makes their loss worse."""
    return Split(split.images, (split.labels + 1) % 10)


def fit_uci(recipe: Recipe, **options: Any) -> Fit:
    return fit(PERCEPTRON, recipe, *uci(), **options)


def fit_few(recipe: Recipe, architecture: Architecture = CONVOLUTIONAL, **options: Any) -> Fit:
    """Train on a few digits, the last batch smaller than the others."""
    train, validation = uci()
    return fit(architecture, recipe, train.take(range(32 * FEW - 10)), validation, **options)


def fit_misled(recipe: Recipe, **options: Any) -> Fit:
    """Train where the validation loss soon grows."""
    train, validation = uci()
    return fit(PERCEPTRON, recipe, train, misleading(validation), **options)


def measured(epochs: tuple[Epoch, ...]) -> list[dict[str, float]]:
    """Return all that equal trainings share: the metrics but for the time."""
    return [{name: value for name, value in epoch.metrics().items() if name != "seconds"} for epoch in epochs]


def assert_same_weights(some: list[NDArray[Any]], others: list[NDArray[Any]]) -> None:
    assert len(some) == len(others)
    for one, other in zip(some, others, strict=True):
        np.testing.assert_array_equal(one, other)


def assert_same(some: Fit, other: Fit) -> None:
    """The two trainings agree to the last bit."""
    assert measured(some.epochs) == measured(other.epochs)
    assert_same_weights(some.model.get_weights(), other.model.get_weights())
