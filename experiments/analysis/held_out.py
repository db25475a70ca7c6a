"""What networks say of training digits that they have not learned from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.closeness import NEAREST, Closeness, closeness
from experiments.analysis.features import feature_extractor, reduce
from experiments.datasets import Split
from experiments.models import Recipe, architecture

NETWORK = "fast"
FOLDS = 3
LEAST_UPDATES = 400  # of the weights, below which the network has hardly begun to learn


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Each training digit as seen by the network of the fold that held it out.

    Attributes
    ----------
    probabilities
        float32 (n, 10).
    closeness
        Nearest digits, as indices into the training digits, among those which that network has learned.
    """

    probabilities: NDArray[np.float32]
    closeness: Closeness


def held_out(train: Split, on_fold: Callable[[int, int], None] | None = None) -> HeldOut:
    """Divide digits into three folds, and look at each fold with a network that has learned from the others.

    A network pulls the digits it has learned from to the side of their label, wrong ones too, so that its own view of
    them hides mistakes. The network is `fast`: one epoch takes seconds and reaches 99 % on MNIST.

    Parameters
    ----------
    train
        n >= 30 digits.
    on_fold
        Called with the folds done and their number.
    """
    n = len(train)
    probabilities = np.empty((n, 10), np.float32)
    shape = (n, NEAREST)
    near = Closeness(
        own=np.empty(shape, np.int64),
        other=np.empty(shape, np.int64),
        own_distances=np.empty(shape, np.float32),
        other_distances=np.empty(shape, np.float32),
    )
    for number, (learned, held) in enumerate(_folds(train.labels)):
        features, said = _look(train, learned)
        probabilities[held] = said[held]
        found = closeness(features[held], train.labels[held], features[learned], train.labels[learned])
        for whole, part in zip((near.own, near.other), (found.own, found.other), strict=True):
            whole[held] = np.where(part >= 0, learned[part], -1)
        near.own_distances[held], near.other_distances[held] = found.own_distances, found.other_distances
        if on_fold:
            on_fold(number + 1, FOLDS)
    return HeldOut(probabilities, near)


def recipe_for(n: int) -> Recipe:
    """Return the recipe of `fast` for n digits: its own for many; smaller batches and more epochs for few."""
    recipe = architecture(NETWORK).recipe
    batch = recipe.batch_size
    while batch > 16 and n // batch < LEAST_UPDATES // 4:
        batch //= 2
    epochs = max(recipe.epochs, -(-LEAST_UPDATES // max(n // batch, 1)) if batch < recipe.batch_size else 1)
    return recipe.override({"batch_size": min(batch, n), "epochs": epochs})


def _look(train: Split, learned: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Train on some digits; return features (n, d) and probabilities (n, 10) of all."""
    from experiments.training import fit

    known = train.take(learned)
    # The epoch is chosen by digits that were learned: nothing held out is looked at before it is judged.
    fitted = fit(architecture(NETWORK), recipe_for(len(known)), known, known.take(np.arange(min(len(known), 100))))
    extractor = feature_extractor(fitted.model, NETWORK)
    batches = [
        train.take(part).as_float() for part in np.array_split(np.arange(len(train)), max(1, len(train) // 1000))
    ]
    outputs = [extractor.predict_on_batch(batch) for batch in batches]
    features, probabilities = (np.concatenate([np.asarray(pair[i], np.float32) for pair in outputs]) for i in (0, 1))
    return reduce(features)[0], probabilities


def _folds(labels: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    from sklearn.model_selection import StratifiedKFold

    rarest = int(np.bincount(labels)[np.unique(labels)].min())
    if rarest < FOLDS:  # then a class may be missing from a fold's learned digits
        from sklearn.model_selection import KFold

        return iter(KFold(FOLDS, shuffle=True, random_state=0).split(labels))
    return iter(StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(labels, labels))
