"""Learning a target domain from a few labelled digits of each class."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import CLASSES, Split
from experiments.models import Architecture, Recipe
from experiments.training import fit

if TYPE_CHECKING:
    import keras

SEEDS = 5
EPOCHS = 5
BATCH = 32
STEPS = 60  # an epoch at least; few digits are seen many times, each time warped anew
FINE_TUNING_RATE = 3e-4
SCRATCH_RATE = 1e-3


@dataclass(frozen=True, eq=False)
class FewShot:
    """What labelled digits of the target domain bring.

    Attributes
    ----------
    per_class
        Labelled digits of each class; None stands for all there are.
    digits
        How many that were in all.
    fine_tuned, scratch
        Accuracy on the target's test digits, float64 (len(per_class), seeds): of the trained network, and of one with
        random weights, after the same steps on the same digits.
    zero_shot
        Accuracy of the trained network before.
    """

    per_class: tuple[int | None, ...]
    digits: tuple[int, ...]
    fine_tuned: NDArray[np.float64]
    scratch: NDArray[np.float64]
    zero_shot: float


def draw(split: Split, per_class: int | None, seed: int) -> Split:
    """Draw labelled digits at random, `per_class` of each class or as many as it has; all of them for None.

    The draws of one seed contain each other: those for 5 a class are among those for 10.
    """
    if per_class is None:
        return split
    order = np.random.default_rng(seed).permutation(len(split))
    chosen = [order[split.labels[order] == digit][:per_class] for digit in range(CLASSES)]
    return split.take(np.sort(np.concatenate(chosen)))


def learn(
    architecture: Architecture, recipe: Recipe, few: Split, start: Sequence[NDArray[Any]] | None, seed: int
) -> "keras.Model":
    """Train on a few digits, from given weights or from random ones.

    Five epochs of at least 60 steps with the warps of the network's own recipe and a rate that falls to 0 along a
    cosine. No digit is spared for validation: the weights of the epoch with the lowest loss on the digits themselves
    are kept.

    Parameters
    ----------
    recipe
        With which the network was trained: gives its sizes, warps and dropout.
    few
        Labelled digits, at least one.
    start
        Weights to begin with, as `keras.Model.get_weights` gives them; None for random ones.
    seed
        Of weights, order, warps and dropout.
    """
    batch = min(BATCH, len(few))
    copies = -(-STEPS * batch // len(few))
    chosen = replace(
        recipe,
        epochs=EPOCHS,
        batch_size=batch,
        optimizer="adam",
        learning_rate=SCRATCH_RATE if start is None else FINE_TUNING_RATE,
        schedule="cosine",
        patience=0,
        seed=seed,
    )
    begun = architecture if start is None else replace(architecture, build=partial(_built, architecture, start))
    return fit(begun, chosen, few.take(np.tile(np.arange(len(few)), copies)), few).model


def _built(architecture: Architecture, weights: Sequence[NDArray[Any]], recipe: Recipe) -> "keras.Model":
    model = architecture.build(recipe)
    model.set_weights(weights)
    return model
