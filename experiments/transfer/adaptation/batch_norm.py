"""Adaptation of what batch normalisation knows of its inputs: AdaBN and Tent."""

from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.errors import UsageError
from experiments.transfer.adaptation.adapted import (
    Adapted,
    Curve,
    Heard,
    copy_of,
    copy_to_adapt,
    layers_of,
    predictions,
    scaled,
)
from experiments.transfer.adaptation.descent import Descent, shuffled
from experiments.transfer.adaptation.objectives import mean_entropy

if TYPE_CHECKING:
    import keras

STATISTICS_BATCH = 1000
# Wang et al. (2021), section 4 and their code: Adam, rate 1e-3, batches of 200, each digit seen once.
TENT_RATE = 1e-3
TENT_BATCH = 200
ADABN_SETTINGS = {"batch": STATISTICS_BATCH}
TENT_SETTINGS = {"batch": TENT_BATCH, "rate": TENT_RATE}


def adabn(model: "keras.Model", images: NDArray[np.uint8], seed: int = 0, on_step: Heard | None = None) -> Adapted:
    """Replace the statistics of all batch-norm layers by those of the target domain.

    Li, Wang, Shi, Hou & Liu (2018), "Adaptive batch normalization for practical domain adaptation". The statistics
    are means over batches of about 1,000, each batch normalised by its own.

    Parameters
    ----------
    model
        The network, with batch norm.
    images
        Unlabelled target digits, uint8 (n, 28, 28), n >= 2.
    seed
        Of the order of the digits.
    on_step
        Called with the batches done and planned.

    Raises
    ------
    UsageError
        For a network without batch norm, or too few digits.
    DivergedError
        When the predictions are not finite.
    """
    start, adapted, curve = perf_counter(), copy_of(model), Curve()
    working = _by_batch(model, images, seed)
    curve.add_predictions(predictions(adapted, images))
    _renew_statistics(adapted, working, images, seed, on_step)
    curve.add_predictions(predictions(adapted, images))
    return Adapted(adapted, curve.rows(), perf_counter() - start)


def tent(model: "keras.Model", images: NDArray[np.uint8], seed: int = 0, on_step: Heard | None = None) -> Adapted:
    """Minimise the entropy of predictions over scales and offsets of batch norm, by batch statistics.

    Wang, Shelhamer, Liu, Olshausen & Darrell (2021), "Tent: fully test-time adaptation by entropy minimization", with
    their settings. What remains is a network like any other, with the statistics of the target domain under its new
    scales and offsets, where the paper normalises every batch by itself.

    Parameters and errors are those of `adabn`; batch norm without scales and offsets is refused too.
    """
    import keras
    import tensorflow as tf

    start, curve = perf_counter(), Curve()
    working = _by_batch(model, images, seed)
    weights = [weight for layer in _norms(working) for weight in layer.trainable_weights]
    if not weights:
        raise UsageError("its batch normalisation has no scales and offsets")
    curve.add_predictions(predictions(model, images))
    pixels = tf.constant(images)

    def objective(chosen: Any) -> dict[str, Any]:
        return {"loss": mean_entropy(working(scaled(tf.gather(pixels, chosen)), training=False))}

    descent = Descent(weights, keras.optimizers.Adam(TENT_RATE), objective)
    batches = shuffled(len(images), TENT_BATCH, np.random.default_rng(seed))
    for number, batch in enumerate(batches, start=1):
        curve.add(**descent.epoch([batch]))
        if on_step:
            on_step(number, len(batches))
    adapted = copy_of(model, working)
    _renew_statistics(adapted, working, images, seed)
    curve.add_predictions(predictions(adapted, images))
    return Adapted(adapted, curve.rows(), perf_counter() - start)


def _by_batch(model: "keras.Model", images: NDArray[np.uint8], seed: int) -> "keras.Model":
    """Return a copy whose batch norm goes by its batch, and keeps what it saw; all else, dropout too, is as in use.

    Raises
    ------
    UsageError
        For a network without batch norm, or too few digits.
    """
    copy = copy_to_adapt(model, images, seed)
    norms = _norms(copy)
    if not norms:
        raise UsageError("it has no batch normalisation")
    for layer in norms:
        layer.momentum = 0.0
        layer.call = _in_training(layer.call)
    return copy


def _in_training(call: Any) -> Any:
    return lambda *inputs, **options: call(*inputs, **{**options, "training": True})


def _renew_statistics(
    model: "keras.Model", working: "keras.Model", images: NDArray[np.uint8], seed: int, on_step: Heard | None = None
) -> None:
    """Set the model's moving means and variances to the means over batches of those that a copy `_by_batch` sees."""
    import tensorflow as tf

    seen = [statistic for layer in _norms(working) for statistic in (layer.moving_mean, layer.moving_variance)]
    sums = [np.zeros(statistic.shape) for statistic in seen]
    forward = tf.function(lambda batch: working(scaled(batch), training=False))
    batches = shuffled(len(images), STATISTICS_BATCH, np.random.default_rng(seed))
    for number, batch in enumerate(batches, start=1):
        forward(tf.constant(images[batch]))
        sums = [total + statistic.numpy() for total, statistic in zip(sums, seen, strict=True)]
        if on_step:
            on_step(number, len(batches))
    kept = [statistic for layer in _norms(model) for statistic in (layer.moving_mean, layer.moving_variance)]
    for statistic, total in zip(kept, sums, strict=True):
        statistic.assign(total / len(batches))


def _norms(model: "keras.Model") -> list[Any]:
    import keras

    return [layer for layer in layers_of(model) if isinstance(layer, keras.layers.BatchNormalization)]
