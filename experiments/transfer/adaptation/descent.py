"""Gradient steps on some of a network's weights, by an objective that needs no labels."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Objective = Callable[[Any], Mapping[str, Any]]


class Descent:
    """Epochs of steps over batches of digits.

    Parameters
    ----------
    variables
        The weights to change; the others stay, but for what layers keep up themselves (batch statistics).
    optimizer
        A Keras optimizer.
    objective
        From the indices of a batch, tensor int64 (b,), to terms by name, scalar tensors; `loss` is what is descended.
    penalty
        Of weights: this much of each is added to its gradient, as the weight decay of PyTorch's optimizers is. That of
        Keras's is a tenth as strong under a momentum of 0.9, which does not multiply it.
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
        """Take a step for each batch, int64 (size,) indices of images; return the mean of each term over the steps."""
        import tensorflow as tf

        terms = [self._step(tf.constant(batch, tf.int64)) for batch in batches]
        return {name: float(np.mean([float(one[name]) for one in terms])) for name in terms[0]}


def shuffled(n: int, size: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """Return the indices 0 to n - 1, int64, in random order, in batches of about `size`: none is nearly empty."""
    return np.array_split(rng.permutation(n), max(1, round(n / size)))
