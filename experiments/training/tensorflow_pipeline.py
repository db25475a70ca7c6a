"""Batches by TensorFlow's own pipeline, beside the training, in its threads."""

from typing import Any

from experiments.datasets import CLASSES, Split
from experiments.models import Recipe
from experiments.training.augmentation import AMOUNTS, warp
from experiments.training.batches import VALIDATION_BATCH, steps_per_epoch
from experiments.training.effects import apply_effects, effects_of, numbers_of


def training_batches(split: Split, recipe: Recipe, first_epoch: int) -> Any:
    """Return a tf.data.Dataset as described in `experiments.training.pipeline`."""
    import tensorflow as tf

    images = tf.constant(split.images[..., None])
    labels = tf.constant(split.labels)
    effects = effects_of(recipe.effects)
    warp_seed, effect_seed = (tf.constant(recipe.seed + use, tf.int64) for use in (1, 2))

    def order(epoch: Any) -> Any:
        seed = tf.stack([tf.constant(recipe.seed, tf.int64), epoch])
        shuffled = tf.random.experimental.stateless_shuffle(tf.range(len(split)), seed)
        return tf.data.Dataset.from_tensor_slices(shuffled).batch(recipe.batch_size)

    def batch(step: Any, chosen: Any) -> Any:
        pixels = _scaled(tf.gather(images, chosen))
        if recipe.warps:
            amounts = random_numbers((AMOUNTS, tf.shape(pixels)[0]), tf.stack([warp_seed, step]))
            pixels = warp(pixels, amounts, recipe)
        if effects and recipe.augmentation:
            numbers = random_numbers((tf.shape(pixels)[0], numbers_of(effects)), tf.stack([effect_seed, step]))
            pixels = apply_effects(pixels, tf.clip_by_value(numbers * recipe.augmentation, -1.0, 1.0), effects)
        return pixels, _targets(tf.gather(labels, chosen))

    epochs = tf.data.Dataset.range(first_epoch, tf.int64.max)
    steps = epochs.flat_map(order).enumerate(first_epoch * steps_per_epoch(split, recipe))
    return steps.map(batch, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def validation_batches(split: Split) -> Any:
    """Return a tf.data.Dataset as described in `experiments.training.pipeline`."""
    import tensorflow as tf

    batches = tf.data.Dataset.from_tensor_slices((split.images[..., None], split.labels)).batch(VALIDATION_BATCH)
    return batches.map(lambda images, labels: (_scaled(images), tf.one_hot(labels, CLASSES))).cache()


def random_numbers(shape: Any, seed: Any) -> Any:
    """Return random numbers, a tensor float32 of this shape, uniform in [-1, 1).

    Parameters
    ----------
    shape
        A tuple, or a tensor of integers.
    seed
        Tensor int64 (2,); the same one gives the same numbers, by counter-based random numbers (Salmon et al. 2011,
        through ``tf.random.stateless_uniform``).
    """
    import tensorflow as tf

    return tf.random.stateless_uniform(shape, seed, minval=-1.0, maxval=1.0)


def _targets(labels: Any) -> Any:
    """Return one-hot targets; those of outsiders are uniform."""
    import tensorflow as tf

    classes = tf.one_hot(labels, CLASSES)
    return classes + (1.0 - tf.reduce_sum(classes, axis=1, keepdims=True)) / CLASSES


def _scaled(images: Any) -> Any:
    import tensorflow as tf

    return tf.cast(images, tf.float32) / 255.0
