"""Self-training: a student learns the confident labels of its own moving average."""

from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.models import Recipe
from experiments.training.augmentation import AMOUNTS, warp
from experiments.training.tensorflow_pipeline import random_numbers
from experiments.transfer.adaptation.adaptation import Adaptation, Adapted, OnStep
from experiments.transfer.adaptation.curve import CONFIDENT, AdaptationCurve
from experiments.transfer.adaptation.descent import Descent, shuffled
from experiments.transfer.adaptation.networks import copy_of, copy_to_adapt, scaled
from experiments.transfer.adaptation.objectives import cross_entropy
from experiments.transfer.predictions import predict_images

if TYPE_CHECKING:
    import keras

# French, Mackiewicz & Fisher (2018) and their code: Adam, rate 1e-3, batches of 256, teacher's decay 0.99.
RATE = 1e-3
BATCH = 256
MEMORY = 0.99
EPOCHS = 30  # the paper trains 300, from random weights
WARPS = Recipe(rotation=10, zoom=0.1, shift=0.1)


def self_training(
    model: "keras.Model",
    images: NDArray[np.uint8],
    seed: int = 0,
    on_step: OnStep | None = None,
    epochs: int = EPOCHS,
) -> Adapted:
    """Train a student on augmented images with the confident labels of a teacher, its own moving average.

    The teacher is the exponential moving average of the student (Tarvainen & Valpola 2017); its labels count where
    their probability is above 0.968; after French, Mackiewicz & Fisher (2018), "Self-ensembling for visual domain
    adaptation". Here both start from the trained network and no source image is needed; the loss is the cross-entropy
    with the teacher's label (Lee 2013).

    Parameters
    ----------
    model
        Any network.
    images
        Unlabelled target images, uint8 (n, 28, 28), n >= 2.
    seed
        Seed of the order of the images, their augmentation and dropout.
    on_step
        Called with the epochs done and planned.
    epochs
        Number of epochs.

    Raises
    ------
    UsageError
        If there are too few images.
    DivergedError
        If the loss or the predictions are not finite.
    """
    import keras
    import tensorflow as tf

    start, curve = perf_counter(), AdaptationCurve()
    student, teacher = copy_to_adapt(model, images, seed), copy_of(model)
    pixels, step = tf.constant(images), tf.Variable(0, dtype=tf.int64)

    def objective(chosen: Any) -> dict[str, Any]:
        batch = scaled(tf.gather(pixels, chosen))
        told = teacher(batch, training=False)
        sure = tf.cast(tf.reduce_max(told, axis=1) > CONFIDENT, tf.float32)
        amounts = random_numbers((AMOUNTS, tf.shape(batch)[0]), tf.stack([tf.constant(seed, tf.int64), step]))
        said = student(warp(batch, amounts, WARPS), training=True)
        return {"loss": tf.reduce_mean(sure * cross_entropy(said, tf.argmax(told, axis=1)))}

    def follow() -> None:
        for kept, new in zip(teacher.weights, student.weights, strict=True):
            kept.assign_add((1 - MEMORY) * (new - kept))
        step.assign_add(1)

    descent = Descent(student.trainable_weights, keras.optimizers.Adam(RATE), objective, after=follow)
    rng = np.random.default_rng(seed)
    curve.add_predictions(predict_images(teacher, images))
    for epoch in range(epochs):
        curve.add(**descent.epoch(shuffled(len(images), BATCH, rng)))
        curve.add_predictions(predict_images(teacher, images))
        if on_step:
            on_step(epoch + 1, epochs)
    return Adapted(teacher, curve.series(), perf_counter() - start)


SELF_TRAINING = Adaptation(
    "self-training",
    "self-training",
    "all layers, by the labels of which a moving average of the network is confident, on augmented images",
    self_training,
    {
        "epochs": EPOCHS,
        "batch": BATCH,
        "rate": RATE,
        "memory": MEMORY,
        "confident": CONFIDENT,
        **{name: getattr(WARPS, name) for name in ("rotation", "zoom", "shift")},
    },
    unit="epoch",
    priority=4,
)
