"""What a network says of images."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import Split
from experiments.models.architecture import CLASSES

if TYPE_CHECKING:
    import keras

BATCH = 1000


def predict(model: "keras.Model", split: Split) -> NDArray[np.float32]:
    """Return the probabilities of the ten digits for each image.

    Parameters
    ----------
    model
        Maps float32 (n, 28, 28, 1) in [0, 1] to probabilities (n, 10).
    split
        The images; they are scaled a batch at a time, so that memory stays small.

    Returns
    -------
    float32 (n, 10), rows summing to 1.
    """
    if not len(split):
        return np.empty((0, CLASSES), np.float32)
    batches = np.split(np.arange(len(split)), range(BATCH, len(split), BATCH))
    return np.concatenate([model.predict_on_batch(split.take(batch).as_float()) for batch in batches])
