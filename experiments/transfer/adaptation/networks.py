"""Copies of models to adapt, and their layers."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.errors import UsageError

if TYPE_CHECKING:
    import keras


def copy_of(model: "keras.Model", weights: "keras.Model | None" = None) -> "keras.Model":
    """Copy a model; the copy shares nothing with it, and has its weights or those of another model."""
    import keras

    copy = keras.models.clone_model(model)
    copy.set_weights((weights or model).get_weights())
    return copy


def copy_to_adapt(model: "keras.Model", images: NDArray[np.uint8], seed: int) -> "keras.Model":
    """Seed all random numbers, dropout included, and copy a model with all layers trainable.

    Raises
    ------
    UsageError
        If there are fewer than two images: one has no batch statistics.
    """
    import keras

    if len(images) < 2:
        raise UsageError(f"adaptation needs at least 2 unlabelled images, received {len(images)}")
    keras.utils.set_random_seed(seed)
    copy = copy_of(model)
    for layer in (copy, *layers_of(copy)):
        layer.trainable = True
    return copy


def layers_of(model: "keras.Model") -> Iterator[Any]:
    """Yield the layers of a model and of the models nested in it."""
    for layer in model.layers:
        yield layer
        if hasattr(layer, "layers"):
            yield from layers_of(layer)


def scaled(images: Any) -> Any:
    """Scale pixels to the input of a model: tensor uint8 (b, 28, 28) to float32 (b, 28, 28, 1) in [0, 1]."""
    import tensorflow as tf

    return tf.cast(images, tf.float32)[..., None] / 255.0
