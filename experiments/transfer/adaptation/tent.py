"""Tent: entropy minimization over the scales and offsets of batch norm."""

from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.errors import UsageError
from experiments.transfer.adaptation.adaptation import Adaptation, Adapted, OnStep
from experiments.transfer.adaptation.batch_statistics import batch_norms, copy_by_batch, set_statistics
from experiments.transfer.adaptation.curve import AdaptationCurve
from experiments.transfer.adaptation.descent import Descent, shuffled
from experiments.transfer.adaptation.networks import copy_of, scaled
from experiments.transfer.adaptation.objectives import mean_entropy
from experiments.transfer.predictions import predict_images

if TYPE_CHECKING:
    import keras

# Wang et al. (2021), section 4 and their code: Adam, rate 1e-3, batches of 200, each image seen once.
RATE = 1e-3
BATCH = 200


def tent(model: "keras.Model", images: NDArray[np.uint8], seed: int = 0, on_step: OnStep | None = None) -> Adapted:
    """Minimize the entropy of predictions over the scales and offsets of batch norm, normalizing by batch.

    Wang, Shelhamer, Liu, Olshausen & Darrell (2021), "Tent: fully test-time adaptation by entropy minimization", with
    their settings. The result is an ordinary network with the statistics of the target domain under its new scales and
    offsets; the paper normalizes every batch by itself.

    Parameters and errors are those of `adabn`; batch norm without scales and offsets raises `UsageError` too.
    """
    import keras
    import tensorflow as tf

    start, curve = perf_counter(), AdaptationCurve()
    by_batch = copy_by_batch(model, images, seed)
    weights = [weight for layer in batch_norms(by_batch) for weight in layer.trainable_weights]
    if not weights:
        raise UsageError("its batch normalization has no scales and offsets")
    curve.add_predictions(predict_images(model, images))
    pixels = tf.constant(images)

    def objective(chosen: Any) -> dict[str, Any]:
        return {"loss": mean_entropy(by_batch(scaled(tf.gather(pixels, chosen)), training=False))}

    descent = Descent(weights, keras.optimizers.Adam(RATE), objective)
    batches = shuffled(len(images), BATCH, np.random.default_rng(seed))
    for number, batch in enumerate(batches, start=1):
        curve.add(**descent.epoch([batch]))
        if on_step:
            on_step(number, len(batches))
    adapted = copy_of(model, by_batch)
    set_statistics(adapted, by_batch, images, seed)
    curve.add_predictions(predict_images(adapted, images))
    return Adapted(adapted, curve.series(), perf_counter() - start)


TENT = Adaptation(
    "tent",
    "Tent",
    "scales and offsets of batch norm minimize the entropy of predictions",
    tent,
    {"batch": BATCH, "rate": RATE},
    unit="step",
    priority=2,
    suite_networks=("light", "heavy"),
)
