"""Batches by TensorFlow's own pipeline, beside the training, in its threads."""

from typing import Any

from experiments.datasets import CLASSES, Split
from experiments.models import Recipe
from experiments.training.augmentation import AMOUNTS, warp
from experiments.training.batches import VALIDATION_BATCH, steps_per_epoch


def training_batches(split: Split, recipe: Recipe, first_epoch: int) -> Any:
    """Return a tf.data.Dataset as described in `experiments.training.pipeline`."""
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
            seed = tf.stack([tf.constant(recipe.seed + 1, tf.int64), step])
            pixels = warp(pixels, random_amounts(tf.shape(pixels)[0], seed), recipe)
        return pixels, tf.one_hot(tf.gather(labels, chosen), CLASSES)

    epochs = tf.data.Dataset.range(first_epoch, tf.int64.max)
    steps = epochs.flat_map(order).enumerate(first_epoch * steps_per_epoch(split, recipe))
    return steps.map(batch, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def validation_batches(split: Split) -> Any:
    """Return a tf.data.Dataset as described in `experiments.training.pipeline`."""
    import tensorflow as tf

    batches = tf.data.Dataset.from_tensor_slices((split.images[..., None], split.labels)).batch(VALIDATION_BATCH)
    return batches.map(lambda images, labels: (_scaled(images), tf.one_hot(labels, CLASSES))).cache()


def random_amounts(count: Any, seed: Any) -> Any:
    """Return the amounts of as many warps, as `experiments.training.augmentation.warp` takes them.

    Parameters
    ----------
    count
        How many.
    seed
        Tensor int64 (2,); the same one gives the same amounts, by counter-based random numbers (Salmon et al. 2011,
        through ``tf.random.stateless_uniform``).

    Returns
    -------
    Tensor float32 (4, count), uniform in [-1, 1).
    """
    import tensorflow as tf

    return tf.random.stateless_uniform((AMOUNTS, count), seed, minval=-1.0, maxval=1.0)


def _scaled(images: Any) -> Any:
    import tensorflow as tf

    return tf.cast(images, tf.float32) / 255.0
