"""What a network says of images."""

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
    """Return the probabilities of the ten digits for each image.

    Parameters
    ----------
    model
        Maps float32 (n, 28, 28, 1) in [0, 1] to probabilities (n, 10).
    split
        The images; they are scaled a batch at a time, so that memory stays small.
    on_batch
        Hears after each batch, of at most `BATCH` images, how many it had and the seconds it took, scaling included.

    Returns
    -------
    float32 (n, 10), rows summing to 1.
    """
    if not len(split):
        return np.empty((0, CLASSES), np.float32)
    batches = np.split(np.arange(len(split)), range(BATCH, len(split), BATCH))
    return np.concatenate([_timed(model, split.take(batch), on_batch) for batch in batches])


def _timed(model: "keras.Model", batch: Split, on_batch: Callable[[int, float], None] | None) -> NDArray[np.float32]:
    began = time.perf_counter()
    probabilities: NDArray[np.float32] = model.predict_on_batch(batch.as_float())
    if on_batch:
        on_batch(len(batch), time.perf_counter() - began)
    return probabilities
