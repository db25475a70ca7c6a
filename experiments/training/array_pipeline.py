"""Batches as NumPy arrays, for backends without a pipeline of their own."""

import math
from collections.abc import Iterator
from itertools import count

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from experiments.datasets import CLASSES, Split
from experiments.models import Recipe
from experiments.training.augmentation import AMOUNTS, warp
from experiments.training.batches import VALIDATION_BATCH
from experiments.training.effects import PictureEffect, apply_effects, effects_of, numbers_of

Batch = tuple[NDArray[np.float32], NDArray[np.float32]]
WARPED_AT_ONCE = 32  # batches: a call of the backend takes longer than the warps of a few images
ORDER, WARPS, EFFECTS = 0, 1, 2  # what random numbers are for


def training_batches(split: Split, recipe: Recipe, first_epoch: int) -> Iterator[Batch]:
    """Yield batches as described in `experiments.training.pipeline`."""
    size, effects = recipe.batch_size, effects_of(recipe.effects)
    for epoch in count(first_epoch):
        order = np.random.default_rng([recipe.seed, epoch, ORDER]).permutation(len(split))
        warps, changes = (np.random.default_rng([recipe.seed, epoch, use]) for use in (WARPS, EFFECTS))
        for start in range(0, len(order), size * WARPED_AT_ONCE):
            several = split.take(order[start : start + size * WARPED_AT_ONCE])
            pixels = _warped(several.as_float(), warps, recipe) if recipe.warps else several.as_float()
            if effects and recipe.augmentation:
                pixels = _changed(pixels, changes, effects, recipe.augmentation)
            labels = _targets(several)
            for first in range(0, len(several), size):
                yield pixels[first : first + size], labels[first : first + size]


class Batches(keras.utils.PyDataset):
    """The images of a split once, in order."""

    def __init__(self, split: Split) -> None:
        super().__init__()
        self._split = split

    def __len__(self) -> int:
        return math.ceil(len(self._split) / VALIDATION_BATCH)

    def __getitem__(self, index: int) -> Batch:
        start = index * VALIDATION_BATCH
        batch = self._split.take(range(start, min(start + VALIDATION_BATCH, len(self._split))))
        return batch.as_float(), _targets(batch)


def validation_batches(split: Split) -> Batches:
    """Return batches as described in `experiments.training.pipeline`."""
    return Batches(split)


def _warped(pixels: NDArray[np.float32], random: np.random.Generator, recipe: Recipe) -> NDArray[np.float32]:
    amounts = random.uniform(-1.0, 1.0, (AMOUNTS, len(pixels))).astype(np.float32)
    warped: NDArray[np.float32] = ops.convert_to_numpy(warp(ops.convert_to_tensor(pixels), amounts, recipe))
    return warped


def _changed(
    pixels: NDArray[np.float32], random: np.random.Generator, effects: tuple[PictureEffect, ...], strength: float
) -> NDArray[np.float32]:
    numbers = random.uniform(-strength, strength, (len(pixels), numbers_of(effects))).clip(-1, 1).astype(np.float32)
    changed: NDArray[np.float32] = ops.convert_to_numpy(
        apply_effects(ops.convert_to_tensor(pixels), ops.convert_to_tensor(numbers), effects)
    )
    return changed


def _targets(split: Split) -> NDArray[np.float32]:
    """Return one-hot targets; those of outsiders are uniform."""
    uniform = np.full((1, CLASSES), 1 / CLASSES, np.float32)
    return np.concatenate([np.eye(CLASSES, dtype=np.float32), uniform])[split.labels]
