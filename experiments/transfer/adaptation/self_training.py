"""Self-training: a student learns what its own average over time is sure of."""

from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.models import Recipe
from experiments.training.augmentation import warp
from experiments.training.tensorflow_pipeline import random_amounts
from experiments.transfer.adaptation.adapted import (
    CONFIDENT,
    Adapted,
    Curve,
    Heard,
    copy_of,
    copy_to_adapt,
    predictions,
    scaled,
)
from experiments.transfer.adaptation.descent import Descent, shuffled
from experiments.transfer.adaptation.objectives import cross_entropy

if TYPE_CHECKING:
    import keras

# French, Mackiewicz & Fisher (2018) and their code: Adam, rate 1e-3, batches of 256, the teacher's memory 0.99.
RATE = 1e-3
BATCH = 256
MEMORY = 0.99
EPOCHS = 30  # they take 300, and begin from nothing
WARPS = Recipe(rotation=10, zoom=0.1, shift=0.1)
SELF_TRAINING_SETTINGS = {
    "epochs": EPOCHS,
    "batch": BATCH,
    "rate": RATE,
    "memory": MEMORY,
    "confident": CONFIDENT,
    **{name: getattr(WARPS, name) for name in ("rotation", "zoom", "shift")},
}


def self_training(
    model: "keras.Model",
    images: NDArray[np.uint8],
    seed: int = 0,
    on_step: Heard | None = None,
    epochs: int = EPOCHS,
) -> Adapted:
    """Train a student, on warped digits, with the labels that a teacher is sure of; the teacher is its average.

    The teacher is the exponential moving average of the student (Tarvainen & Valpola 2017), sure where a probability
    is above 0.968; after French, Mackiewicz & Fisher (2018), "Self-ensembling for visual domain adaptation". Here
    both begin as the trained network and no source digit is needed; the loss is the cross-entropy with the teacher's
    label (Lee 2013).

    Parameters
    ----------
    model
        Any network.
    images
        Unlabelled target digits, uint8 (n, 28, 28), n >= 2.
    seed
        Of the order of the digits, their warps and dropout.
    on_step
        Called with the epochs done and planned.
    epochs
        How many.

    Raises
    ------
    UsageError
        For too few digits.
    DivergedError
        When the loss or the predictions are no longer finite.
    """
    import keras
    import tensorflow as tf

    start, curve = perf_counter(), Curve()
    student, teacher = copy_to_adapt(model, images, seed), copy_of(model)
    pixels, step = tf.constant(images), tf.Variable(0, dtype=tf.int64)

    def objective(chosen: Any) -> dict[str, Any]:
        batch = scaled(tf.gather(pixels, chosen))
        told = teacher(batch, training=False)
        sure = tf.cast(tf.reduce_max(told, axis=1) > CONFIDENT, tf.float32)
        amounts = random_amounts(tf.shape(batch)[0], tf.stack([tf.constant(seed, tf.int64), step]))
        said = student(warp(batch, amounts, WARPS), training=True)
        return {"loss": tf.reduce_mean(sure * cross_entropy(said, tf.argmax(told, axis=1)))}

    def follow() -> None:
        for kept, new in zip(teacher.weights, student.weights, strict=True):
            kept.assign_add((1 - MEMORY) * (new - kept))
        step.assign_add(1)

    descent = Descent(student.trainable_weights, keras.optimizers.Adam(RATE), objective, after=follow)
    rng = np.random.default_rng(seed)
    curve.add_predictions(predictions(teacher, images))
    for epoch in range(epochs):
        curve.add(**descent.epoch(shuffled(len(images), BATCH, rng)))
        curve.add_predictions(predictions(teacher, images))
        if on_step:
            on_step(epoch + 1, epochs)
    return Adapted(teacher, curve.rows(), perf_counter() - start)
