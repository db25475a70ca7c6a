"""Training digits as seen by networks that were not trained on them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.class_distances import NEAREST, ClassDistances, class_distances
from experiments.analysis.features import feature_extractor, reduce
from experiments.datasets import CLASSES, Split
from experiments.models.fast import FAST
from experiments.models.recipe import Recipe

if TYPE_CHECKING:
    import keras

NETWORK = FAST.name
FOLDS = 3
LEAST_UPDATES = 400  # optimizer steps; with fewer the network hardly learns


@dataclass(frozen=True, eq=False)
class HeldOut(ClassDistances):
    """Class distances and probabilities of each training digit, by the network of the fold that held it out.

    The neighbors are among the digits that this network was trained on, as indices into all training digits.

    Attributes
    ----------
    probabilities
        float32 (n, 10).
    """

    probabilities: NDArray[np.float32]


def held_out(train: Split, on_fold: Callable[[int, int], None] | None = None) -> HeldOut:
    """Train on two of three folds at a time, and compute class distances and probabilities of the third.

    A network moves the digits that it is trained on towards their labels, wrong ones too, so its own view of them hides
    mistakes. The network is `fast`: one epoch takes seconds and reaches 99 % on MNIST.

    Parameters
    ----------
    train
        n >= 30 digits.
    on_fold
        Called with the number of folds done and planned.
    """
    from experiments.training import fit

    shape = (len(train), NEAREST)
    found = HeldOut(
        own=np.empty(shape, np.int64),
        other=np.empty(shape, np.int64),
        own_distances=np.empty(shape, np.float32),
        other_distances=np.empty(shape, np.float32),
        probabilities=np.empty((len(train), CLASSES), np.float32),
    )
    for number, (known, held) in enumerate(_folds(train.labels)):
        digits = train.take(known)
        # The best epoch is chosen on digits of the training folds: the held-out ones must stay unseen.
        validation = digits.take(np.arange(min(len(digits), 100)))
        model = fit(FAST, recipe_for(len(digits)), digits, validation).model
        points, probabilities = _outputs(feature_extractor(model, NETWORK), train)
        near = class_distances(points[held], train.labels[held], points[known], train.labels[known])
        for array, part in ((found.own, near.own), (found.other, near.other)):
            array[held] = np.where(part >= 0, known[part], -1)
        found.own_distances[held], found.other_distances[held] = near.own_distances, near.other_distances
        found.probabilities[held] = probabilities[held]
        if on_fold:
            on_fold(number + 1, FOLDS)
    return found


def recipe_for(n: int) -> Recipe:
    """Return the recipe of `fast` for n digits, with smaller batches and more epochs for few digits."""
    recipe = FAST.recipe
    batch = recipe.batch_size
    while batch > 16 and n // batch < LEAST_UPDATES // 4:
        batch //= 2
    epochs = max(recipe.epochs, -(-LEAST_UPDATES // max(n // batch, 1)) if batch < recipe.batch_size else 1)
    return recipe.override({"batch_size": min(batch, n), "epochs": epochs})


def _outputs(extractor: "keras.Model", split: Split) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Compute reduced features (n, d) and probabilities (n, 10)."""
    batches = np.array_split(np.arange(len(split)), max(1, len(split) // 1000))
    outputs = [extractor.predict_on_batch(split.take(batch).as_float()) for batch in batches]
    features, probabilities = (np.concatenate([np.asarray(pair[i], np.float32) for pair in outputs]) for i in (0, 1))
    return reduce(features).points, probabilities


def _folds(labels: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    from sklearn.model_selection import KFold, StratifiedKFold

    rarest = int(np.bincount(labels)[np.unique(labels)].min())
    # Stratification needs one digit of each class per fold.
    folds = (StratifiedKFold if rarest >= FOLDS else KFold)(FOLDS, shuffle=True, random_state=0)
    return iter(folds.split(labels, labels))
