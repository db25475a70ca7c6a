"""Layers that Keras does not have, and the classifier that all networks share."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from experiments.datasets import CLASSES


@keras.saving.register_keras_serializable(package="digits")
class LocalResponseNormalization(layers.Layer):
    """Divide each activation by a power of the energy of its neighboring channels.

    ``b[i] = a[i] / (bias + alpha * sum(a[j] ** 2 for j within depth // 2 of i)) ** 0.75``, section 3.3 of
    Krizhevsky, Sutskever & Hinton 2012. The exponent is fixed at the paper's 0.75, which needs
    reciprocal square roots only: s ** -0.75 = r * sqrt(r) with r = 1 / sqrt(s). The sum over channels is a product
    with a banded matrix, several times faster than adding slices.

    Parameters
    ----------
    depth
        Number of channels in a neighborhood, odd.
    bias, alpha
        The constants k and alpha of the paper.

    Notes
    -----
    Maps (..., channels) to the same shape and dtype.
    """

    def __init__(self, depth: int = 5, bias: float = 2.0, alpha: float = 1e-4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if depth < 1 or depth % 2 == 0:
            raise ValueError(f"depth must be odd and positive. Received: depth={depth}")
        self.depth, self.bias, self.alpha = depth, bias, alpha

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the banded matrix for the channels of `input_shape`."""
        channel = np.arange(input_shape[-1] or 0)
        distance = np.abs(channel[:, None] - channel[None, :])
        self._neighbors = (distance <= self.depth // 2).astype(np.float32)
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        """Normalize activations."""
        neighbors = ops.cast(self._neighbors, inputs.dtype)
        scale = self.bias + self.alpha * ops.matmul(ops.square(inputs), neighbors)
        root = ops.rsqrt(scale)
        return inputs * root * ops.sqrt(root)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return `input_shape`."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "depth": self.depth, "bias": self.bias, "alpha": self.alpha}


def classifier(features: Any) -> Any:
    """Map the penultimate features to class probabilities, in float32 under any precision.

    Parameters
    ----------
    features
        Keras tensor (n, d), the output of the layer named ``penultimate``.

    Returns
    -------
    Keras tensor float32 (n, 10), each row summing to 1.
    """
    logits = layers.Dense(CLASSES, dtype="float32", name="logits")(features)
    return layers.Softmax(dtype="float32", name="probabilities")(logits)
