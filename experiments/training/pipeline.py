"""Batches for Keras: kept as uint8, shuffled, warped and scaled on the fly."""

from typing import Any

from experiments.datasets import Split
from experiments.models import CLASSES, Recipe
from experiments.training.augmentation import warp

VALIDATION_BATCH = 1000


def training_batches(split: Split, recipe: Recipe, first_epoch: int = 0) -> Any:
    """Return one endless stream of training batches, epoch after epoch.

    The order of the images and their warps depend on the recipe's seed and on the number of the epoch and step
    alone, so that a run continued at `first_epoch` sees what an undisturbed one would have seen.

    Parameters
    ----------
    split
        The training images.
    recipe
        Gives batch size, seed and augmentation.
    first_epoch
        Number of the epoch to begin with, from 0.

    Returns
    -------
    tf.data.Dataset of (float32 (b, 28, 28, 1) in [0, 1], float32 one-hot (b, 10)); the last batch of an epoch is
    smaller where the batch size does not divide the number of images.
    """
    import tensorflow as tf

    images = tf.constant(split.images[..., None])
    labels = tf.constant(split.labels)

    def order(epoch: Any) -> Any:
        seed = tf.stack([tf.constant(recipe.seed, tf.int64), epoch])
        shuffled = tf.random.experimental.stateless_shuffle(tf.range(len(split)), seed)
        return tf.data.Dataset.from_tensor_slices(shuffled).batch(recipe.batch_size)

    def batch(step: Any, chosen: Any) -> Any:
        pixels = _scaled(tf.gather(images, chosen))
        if recipe.augments:
            pixels = warp(pixels, recipe, tf.stack([tf.constant(recipe.seed + 1, tf.int64), step]))
        return pixels, tf.one_hot(tf.gather(labels, chosen), CLASSES)

    epochs = tf.data.Dataset.range(first_epoch, tf.int64.max)
    steps = epochs.flat_map(order).enumerate(first_epoch * steps_per_epoch(split, recipe))
    return steps.map(batch, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def validation_batches(split: Split) -> Any:
    """Return the images of `split` once, in order, in the form that `training_batches` gives them."""
    import tensorflow as tf

    batches = tf.data.Dataset.from_tensor_slices((split.images[..., None], split.labels)).batch(VALIDATION_BATCH)
    return batches.map(lambda images, labels: (_scaled(images), tf.one_hot(labels, CLASSES))).cache()


def steps_per_epoch(split: Split, recipe: Recipe) -> int:
    """Return the number of batches in an epoch."""
    return -(-len(split) // recipe.batch_size)


def _scaled(images: Any) -> Any:
    import tensorflow as tf

    return tf.cast(images, tf.float32) / 255.0
