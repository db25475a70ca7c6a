"""Batch normalization by the statistics of target images, for AdaBN and Tent."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.errors import UsageError
from experiments.transfer.adaptation.adaptation import OnStep
from experiments.transfer.adaptation.descent import shuffled
from experiments.transfer.adaptation.networks import copy_to_adapt, layers_of, scaled

if TYPE_CHECKING:
    import keras

STATISTICS_BATCH = 1000


def copy_by_batch(model: "keras.Model", images: NDArray[np.uint8], seed: int) -> "keras.Model":
    """Copy a model so that batch norm uses and keeps the statistics of the current batch, and only those.

    All other layers, dropout included, behave as in inference.

    Raises
    ------
    UsageError
        If the network has no batch normalization, or there are fewer than two images.
    """
    copy = copy_to_adapt(model, images, seed)
    norms = batch_norms(copy)
    if not norms:
        raise UsageError("it has no batch normalization")
    for layer in norms:
        layer.momentum = 0.0
        layer.call = _in_training(layer.call)
    return copy


def _in_training(call: Any) -> Any:
    return lambda *inputs, **options: call(*inputs, **{**options, "training": True})


def set_statistics(
    model: "keras.Model", by_batch: "keras.Model", images: NDArray[np.uint8], seed: int, on_step: OnStep | None = None
) -> None:
    """Set the moving means and variances of a model to their means over batches of about 1,000 images.

    Parameters
    ----------
    by_batch
        A copy of the model made by `copy_by_batch`.
    """
    import tensorflow as tf

    current = [statistic for layer in batch_norms(by_batch) for statistic in (layer.moving_mean, layer.moving_variance)]
    sums = [np.zeros(statistic.shape) for statistic in current]
    forward = tf.function(lambda batch: by_batch(scaled(batch), training=False))
    batches = shuffled(len(images), STATISTICS_BATCH, np.random.default_rng(seed))
    for number, batch in enumerate(batches, start=1):
        forward(tf.constant(images[batch]))
        sums = [total + statistic.numpy() for total, statistic in zip(sums, current, strict=True)]
        if on_step:
            on_step(number, len(batches))
    moving = [statistic for layer in batch_norms(model) for statistic in (layer.moving_mean, layer.moving_variance)]
    for statistic, total in zip(moving, sums, strict=True):
        statistic.assign(total / len(batches))


def batch_norms(model: "keras.Model") -> list[Any]:
    """Return the batch-norm layers of a model and of the models nested in it."""
    import keras

    return [layer for layer in layers_of(model) if isinstance(layer, keras.layers.BatchNormalization)]
