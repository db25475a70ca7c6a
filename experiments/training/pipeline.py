"""Batches for Keras: kept as uint8, shuffled, warped and scaled on the fly."""

from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import Split
from experiments.models import Recipe
from experiments.training.backends import DEFAULT, backend
from experiments.training.batches import VALIDATION_BATCH, steps_per_epoch


def training_batches(split: Split, recipe: Recipe, first_epoch: int = 0) -> Any:
    """Return one endless stream of training batches, epoch after epoch.

    The order of the images and their warps depend on the recipe's seed and on the number of the epoch and step
    alone, so that a run continued at `first_epoch` sees what an undisturbed one would have seen. They are others with
    TensorFlow, whose own pipeline warps the next batches while this one is learned, than with the other backends.

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
    What Keras takes and iterates: pairs of float32 (b, 28, 28, 1) in [0, 1] and one-hot float32 (b, 10), uniform for
    outsiders; the last batch of an epoch is smaller where the batch size does not divide the number of images.
    """
    return _source().training_batches(split, recipe, first_epoch)


def validation_batches(split: Split) -> Any:
    """Return the images of `split` once, in order, in the form that `training_batches` gives them."""
    return _source().validation_batches(split)


def augmented(split: Split, recipe: Recipe) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Augment the images of `split` once, as a training would; they come in another order.

    Returns
    -------
    tuple
        Images, float32 (n, 28, 28, 1) in [0, 1], and their labels, int64 (n,).
    """
    large = replace(recipe, batch_size=min(len(split), VALIDATION_BATCH))
    batches = islice(iter(training_batches(split, large)), steps_per_epoch(split, large))
    images, targets = zip(*((np.asarray(images), np.asarray(targets)) for images, targets in batches), strict=True)
    return np.concatenate(images), np.concatenate(targets).argmax(axis=1)


def _source() -> Any:
    if backend() == DEFAULT:
        from experiments.training import tensorflow_pipeline

        return tensorflow_pipeline
    from experiments.training import array_pipeline

    return array_pipeline
