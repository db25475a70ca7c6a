"""Few-shot learning: fine-tuning on few labelled images of each class of the target domain."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import CLASSES, Split
from experiments.models.architecture import Architecture
from experiments.models.prediction import predict
from experiments.models.recipe import Recipe
from experiments.training import fit, release_memory

if TYPE_CHECKING:
    import keras

SEEDS = 5
EPOCHS = 5
BATCH = 32
STEPS = 60  # minimum per epoch; few images are seen many times, each time with another augmentation
FINE_TUNING_RATE = 3e-4
SCRATCH_RATE = 1e-3


@dataclass(frozen=True, eq=False)
class FewShot:
    """Accuracies after training on few labelled images of the target domain.

    Attributes
    ----------
    per_class
        Labelled images of each class; None stands for all of them.
    images
        Total number of labelled images.
    fine_tuned, scratch
        Accuracy on the target's test images, float64 (len(per_class), seeds): of the trained network, fine-tuned, and
        of one with random initial weights, after the same steps on the same images.
    zero_shot
        Accuracy of the trained network before.
    """

    per_class: tuple[int | None, ...]
    images: tuple[int, ...]
    fine_tuned: NDArray[np.float64]
    scratch: NDArray[np.float64]
    zero_shot: float


def draw(split: Split, per_class: int | None, seed: int) -> Split:
    """Draw labelled images at random: `per_class` of each class, or as many as it has; all of them for None.

    The draws of one seed are nested: the images for 5 per class are among those for 10.
    """
    if per_class is None:
        return split
    order = np.random.default_rng(seed).permutation(len(split))
    chosen = [order[split.labels[order] == digit][:per_class] for digit in range(CLASSES)]
    return split.take(np.sort(np.concatenate(chosen)))


def learn(
    architecture: Architecture,
    recipe: Recipe,
    weights: Sequence[NDArray[Any]],
    few: Split,
    test: Split,
    seed: int,
    on_progress: object = None,  # noqa: ARG001 - a cached stage is given one
) -> dict[str, NDArray[np.float64]]:
    """Fine-tune a network on few images, train one from scratch on the same, and measure both on the test images.

    Five epochs of at least 60 steps with the augmentation of the network's own recipe and a learning rate that falls
    to 0 along a cosine. No image is held out for validation: the weights of the epoch with the lowest loss on the
    training images are kept.

    Parameters
    ----------
    recipe
        Recipe of the trained network: gives its sizes, augmentation and dropout.
    weights
        Weights of the trained network, as from `keras.Model.get_weights`.
    few
        Labelled images, at least one.
    seed
        Seed of weights, order, augmentation and dropout.

    Returns
    -------
    dict
        ``accuracies``, float64 (2,): fine-tuned and from scratch.
    """
    batch = min(BATCH, len(few))
    repeated = few.take(np.tile(np.arange(len(few)), -(-STEPS * batch // len(few))))
    chosen = replace(
        recipe, epochs=EPOCHS, batch_size=batch, optimizer="adam", schedule="cosine", patience=0, seed=seed
    )
    pretrained = replace(architecture, build=partial(_build_with_weights, architecture, weights))
    accuracies = []
    for start, rate in ((pretrained, FINE_TUNING_RATE), (architecture, SCRATCH_RATE)):
        model = fit(start, replace(chosen, learning_rate=rate), repeated, few).model
        accuracies.append(float((predict(model, test).argmax(axis=1) == test.labels).mean()))
        del model
        release_memory()
    return {"accuracies": np.array(accuracies)}


def _build_with_weights(architecture: Architecture, weights: Sequence[NDArray[Any]], recipe: Recipe) -> "keras.Model":
    model = architecture.build(recipe)
    model.set_weights(weights)
    return model
