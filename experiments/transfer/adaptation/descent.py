"""Gradient descent on some weights of a network, for an objective without labels."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Objective = Callable[[Any], Mapping[str, Any]]


class Descent:
    """Runs epochs of gradient steps over batches of images.

    Parameters
    ----------
    variables
        Weights to train; the others stay fixed, except for batch statistics that layers update themselves.
    optimizer
        A Keras optimizer.
    objective
        Function from the indices of a batch, tensor int64 (b,), to scalar tensors by name; `loss` is minimized.
    penalty
        Weight decay as in PyTorch's optimizers: this multiple of each weight is added to its gradient. Keras's weight
        decay is not multiplied by momentum, and so a tenth as strong under a momentum of 0.9.
    after
        Called after every step, for instance to average weights; its operations become part of the step.
    """

    def __init__(
        self,
        variables: Sequence[Any],
        optimizer: Any,
        objective: Objective,
        penalty: float = 0.0,
        after: Callable[[], None] | None = None,
    ) -> None:
        import tensorflow as tf

        optimizer.build(variables)

        def step(chosen: Any) -> Mapping[str, Any]:
            with tf.GradientTape() as tape:
                terms = dict(objective(chosen))
            gradients = tape.gradient(terms["loss"], variables, unconnected_gradients="zero")
            if penalty:
                gradients = [slope + penalty * weight for slope, weight in zip(gradients, variables, strict=True)]
            optimizer.apply(gradients, variables)
            if after:
                after()
            return terms

        self._step = tf.function(step, input_signature=[tf.TensorSpec([None], tf.int64)])

    def epoch(self, batches: Sequence[NDArray[np.int64]]) -> dict[str, float]:
        """Take a step per batch of image indices, int64 (size,); return the mean of each term over the steps."""
        import tensorflow as tf

        terms = [self._step(tf.constant(batch, tf.int64)) for batch in batches]
        return {name: float(np.mean([float(one[name]) for one in terms])) for name in terms[0]}


def shuffled(n: int, size: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """Split the indices 0 to n - 1, int64, in random order into batches of similar size, about `size`."""
    return np.array_split(rng.permutation(n), max(1, round(n / size)))
