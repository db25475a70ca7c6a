"""Adaptation of what batch normalisation knows of its inputs: AdaBN and Tent."""

from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.errors import UsageError
from experiments.transfer.adaptation.adapted import Adapted, Curve, Heard, copy_of, predictions, scaled
from experiments.transfer.adaptation.descent import Descent, shuffled
from experiments.transfer.adaptation.objectives import mean_entropy

if TYPE_CHECKING:
    import keras

STATISTICS_BATCH = 1000
# Wang et al. (2021), section 4 and their code: Adam, rate 1e-3, batches of 200, each digit seen once.
TENT_RATE = 1e-3
TENT_BATCH = 200


def adabn(model: "keras.Model", images: NDArray[np.uint8], seed: int = 0, on_step: Heard | None = None) -> Adapted:
    """Replace the statistics of all batch-norm layers by those of the target domain.

    Li, Wang, Shi, Hou & Liu (2018), "Adaptive batch normalization for practical domain adaptation". The statistics
    are means over batches of 1,000, each batch normalised by its own.

    Parameters
    ----------
    model
        The network, with batch norm.
    images
        Unlabelled target digits, uint8 (n, 28, 28).
    seed
        Of the order of the digits.
    on_step
        Called with the steps done and planned.

    Raises
    ------
    UsageError
        For a network without batch norm.
    """
    start, adapted, curve = perf_counter(), copy_of(model), Curve()
    _require_norms(model)
    curve.add_predictions(predictions(adapted, images))
    renew_statistics(adapted, images, seed)
    curve.add_predictions(predictions(adapted, images))
    if on_step:
        on_step(1, 1)
    return Adapted(adapted, curve.rows(), perf_counter() - start)


def tent(model: "keras.Model", images: NDArray[np.uint8], seed: int = 0, on_step: Heard | None = None) -> Adapted:
    """Minimise the entropy of predictions over scales and offsets of batch norm, by batch statistics.

    Wang, Shelhamer, Liu, Olshausen & Darrell (2021), "Tent: fully test-time adaptation by entropy minimization", with
    their settings. What remains is a network like any other, with the statistics of the target domain under its new
    scales and offsets, where the paper normalises every batch by itself.

    Parameters and errors are those of `adabn`.
    """
    import keras
    import tensorflow as tf

    start, adapted, curve = perf_counter(), copy_of(model), Curve()
    _require_norms(model)
    curve.add_predictions(predictions(adapted, images))
    _without_dropout(adapted)
    pixels = tf.constant(images)

    def objective(chosen: Any) -> dict[str, Any]:
        return {"loss": mean_entropy(adapted(scaled(tf.gather(pixels, chosen)), training=True))}

    weights = [weight for layer in _norms(adapted) for weight in layer.trainable_weights]
    descent = Descent(weights, keras.optimizers.Adam(TENT_RATE), objective)
    batches = shuffled(len(images), TENT_BATCH, np.random.default_rng(seed))
    for number, batch in enumerate(batches, start=1):
        curve.add(**descent.epoch([batch]))
        if on_step:
            on_step(number, len(batches))
    final = copy_of(model)
    final.set_weights(adapted.get_weights())
    renew_statistics(final, images, seed)
    curve.add_predictions(predictions(final, images))
    return Adapted(final, curve.rows(), perf_counter() - start)


def renew_statistics(model: "keras.Model", images: NDArray[np.uint8], seed: int) -> None:
    """Set the moving mean and variance of all batch-norm layers to their means over the images' batches."""
    import tensorflow as tf

    working = copy_of(model)
    _without_dropout(working)
    batches = shuffled(len(images), STATISTICS_BATCH, np.random.default_rng(seed))
    norms = _norms(working)
    sums = [[np.zeros(weight.shape) for weight in layer.non_trainable_weights] for layer in norms]
    for layer in norms:
        layer.momentum = 0.0  # so that what is kept is the batch's own
    for batch in batches:
        working(scaled(tf.constant(images[batch])), training=True)
        for layer, total in zip(norms, sums, strict=True):
            now = (np.asarray(weight) for weight in layer.non_trainable_weights)
            total[:] = [one + more for one, more in zip(total, now, strict=True)]
    for layer, total in zip(_norms(model), sums, strict=True):
        for one, weight in zip(total, layer.non_trainable_weights, strict=True):
            weight.assign(one / len(batches))


def _norms(model: "keras.Model") -> list[Any]:
    import keras

    return [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]


def _require_norms(model: "keras.Model") -> None:
    if not _norms(model):
        raise UsageError("it has no batch normalisation")


def _without_dropout(model: "keras.Model") -> None:
    """Switch dropout off, which `training` would switch on together with batch statistics."""
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
