"""What an adaptation is given and what it returns, and what all of them need."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import Split
from experiments.models.prediction import predict

if TYPE_CHECKING:
    import keras

CONFIDENT = 0.968  # the threshold of French, Mackiewicz & Fisher (2018)

Heard = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Adapted:
    """A network after its adaptation to a target domain.

    Attributes
    ----------
    model
        A network of its own: that which it was made from is as it was.
    curve
        Numbers by name over the epochs, the state before the first among them where it can be told: `entropy` of the
        predictions for the target digits in nats (mean), `confident`, the share of digits with a probability above
        0.968, and the terms that the method descends. None of them needs a label.
    seconds
        Wall time.
    """

    model: "keras.Model"
    curve: Mapping[str, tuple[float, ...]]
    seconds: float


class Curve:
    """Collects numbers epoch by epoch."""

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = {}

    def add(self, **numbers: float) -> None:
        """Append a value to each of the named rows."""
        for name, value in numbers.items():
            self._values.setdefault(name, []).append(float(value))

    def add_predictions(self, probabilities: NDArray[np.float32]) -> None:
        """Append mean entropy and confident share of predictions (n, 10)."""
        self.add(
            entropy=float(entropy(probabilities).mean()),
            confident=float((probabilities.max(axis=1) > CONFIDENT).mean()),
        )

    def rows(self) -> dict[str, tuple[float, ...]]:
        """Return all that was collected."""
        return {name: tuple(values) for name, values in self._values.items()}


def entropy(probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the entropy in nats (n,) of distributions (n, 10)."""
    exact = probabilities.astype(np.float64)
    return -(exact * np.log(np.clip(exact, np.finfo(np.float64).tiny, None))).sum(axis=1)


def copy_of(model: "keras.Model") -> "keras.Model":
    """Return a network with the same layers and weights that shares nothing with the first."""
    import keras

    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def predictions(model: "keras.Model", images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the probabilities float32 (n, 10) for images uint8 (n, 28, 28)."""
    return predict(model, Split(np.ascontiguousarray(images), np.zeros(len(images), np.int64)))


def scaled(images: Any) -> Any:
    """Return pixels as networks take them: tensor uint8 (b, 28, 28) to float32 (b, 28, 28, 1) in [0, 1]."""
    import tensorflow as tf

    return tf.cast(images, tf.float32)[..., None] / 255.0
