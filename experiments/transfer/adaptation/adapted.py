"""What an adaptation is given and what it returns, and what all of them need."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import Split
from experiments.errors import UsageError
from experiments.models.prediction import predict
from experiments.training import DivergedError

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
        Numbers by name; none of them needs a label. `entropy` of the predictions for the target digits in nats (mean)
        and `confident`, the share of digits with a probability above 0.968, begin with the network as it came: they
        have a value more than there are epochs, or two where there are none. What a method descends, and
        `changed_labels`, have a value for each epoch, those of Tent for each step.
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
        """Append a value to each of the named rows.

        Raises
        ------
        DivergedError
            When a value is not finite.
        """
        for name, value in numbers.items():
            if not np.isfinite(value):
                raise DivergedError(f"the adaptation diverged: its {name} is not finite; try another method")
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


def copy_of(model: "keras.Model", weights: "keras.Model | None" = None) -> "keras.Model":
    """Return a network with the same layers that shares nothing with the first, and its weights or those of another."""
    import keras

    copy = keras.models.clone_model(model)
    copy.set_weights((weights or model).get_weights())
    return copy


def copy_to_adapt(model: "keras.Model", images: NDArray[np.uint8], seed: int) -> "keras.Model":
    """Return a copy of which no layer is frozen, after random numbers began anew: dropout too follows the seed.

    Raises
    ------
    UsageError
        When there are not two digits at least: one has no statistics.
    """
    import keras

    if len(images) < 2:
        raise UsageError(f"it takes 2 unlabelled digits at least, and there are {len(images)}")
    keras.utils.set_random_seed(seed)
    copy = copy_of(model)
    for layer in (copy, *layers_of(copy)):
        layer.trainable = True
    return copy


def layers_of(model: "keras.Model") -> Iterator[Any]:
    """Return the layers of a network and of the networks that are layers of it."""
    for layer in model.layers:
        yield layer
        if hasattr(layer, "layers"):
            yield from layers_of(layer)


def predictions(model: "keras.Model", images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the probabilities float32 (n, 10) for images uint8 (n, 28, 28)."""
    said = predict(model, Split(np.ascontiguousarray(images), np.zeros(len(images), np.int64)))
    return said.astype(np.float32, copy=False)


def scaled(images: Any) -> Any:
    """Return pixels as networks take them: tensor uint8 (b, 28, 28) to float32 (b, 28, 28, 1) in [0, 1]."""
    import tensorflow as tf

    return tf.cast(images, tf.float32)[..., None] / 255.0
