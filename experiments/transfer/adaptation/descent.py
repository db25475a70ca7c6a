"""Gradient steps on some of a network's weights, by an objective that needs no labels."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.training import DivergedError

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
    after
        Called after every step, for instance to average weights; its operations become part of the step.
    """

    def __init__(
        self,
        variables: Sequence[Any],
        optimizer: Any,
        objective: Objective,
        after: Callable[[], None] | None = None,
    ) -> None:
        import tensorflow as tf

        optimizer.build(variables)

        def step(chosen: Any) -> Mapping[str, Any]:
            with tf.GradientTape() as tape:
                terms = dict(objective(chosen))
            optimizer.apply(tape.gradient(terms["loss"], variables), variables)
            if after:
                after()
            return terms

        self._step = tf.function(step, input_signature=[tf.TensorSpec([None], tf.int64)])

    def epoch(self, batches: Sequence[NDArray[np.int64]]) -> dict[str, float]:
        """Take a step for each batch of indices and return the mean of each term over the steps.

        Raises
        ------
        DivergedError
            When a term is no longer finite.
        """
        import tensorflow as tf

        terms = [self._step(tf.constant(batch, tf.int64)) for batch in batches]
        means = {name: float(np.mean([float(one[name]) for one in terms])) for name in terms[0]}
        if not all(np.isfinite(value) for value in means.values()):
            raise DivergedError("the adaptation diverged: its objective is not finite")
        return means


def shuffled(n: int, size: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """Return the indices 0 to n - 1 in random order, in batches of `size` or a little more: none is nearly empty."""
    return np.array_split(rng.permutation(n), max(1, n // size))
