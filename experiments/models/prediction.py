"""Prediction with a network, batch by batch."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import CLASSES, Split

if TYPE_CHECKING:
    import keras

BATCH = 1000


def predict(
    model: "keras.Model", split: Split, on_batch: Callable[[int, float], None] | None = None
) -> NDArray[np.float32]:
    """Predict the probabilities of the ten digits for each image.

    Parameters
    ----------
    model
        Maps float32 (n, 28, 28, 1) in [0, 1] to probabilities (n, 10).
    split
        The images; each batch is scaled on its own, so that little memory is needed.
    on_batch
        Called after each batch of at most `BATCH` images with its size and its seconds, scaling included.

    Returns
    -------
    float32 (n, 10), rows summing to 1.
    """
    if not len(split):
        return np.empty((0, CLASSES), np.float32)
    batches = np.split(np.arange(len(split)), range(BATCH, len(split), BATCH))
    return np.concatenate([_timed(model, split.take(batch), on_batch) for batch in batches])


def _timed(model: "keras.Model", batch: Split, on_batch: Callable[[int, float], None] | None) -> NDArray[np.float32]:
    start = time.perf_counter()
    probabilities: NDArray[np.float32] = model.predict_on_batch(batch.as_float())
    if on_batch:
        on_batch(len(batch), time.perf_counter() - start)
    return probabilities
