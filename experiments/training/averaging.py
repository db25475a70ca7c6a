"""Optimizers that keep an exponential moving average of the weights they move."""

from typing import Any

import keras
from keras import ops, optimizers


class _Averaging:
    """What an optimizer needs to average; to be inherited before the optimizer.

    Keras's own `use_ema` does the same but for three things: its decay does not warm up, which in trainings of a few
    thousand steps leaves the first weights in the average; the end of `fit` puts the average in place of the weights;
    and its callback swaps the two by adding and subtracting, which does not give back the same bits. The averages are
    variables of the optimizer, so that they are saved and restored with it.

    Parameters
    ----------
    decay
        Share of the former average that a step keeps, in (0, 1), once more steps are done than it looks back on:
        after n steps it keeps n / (n + 9) at most. This is the (1 + n) / (10 + n) of TensorFlow's
        ExponentialMovingAverage, counted from the second step, so that the average begins as the first step's weights.
    """

    def __init__(self, *args: Any, decay: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.decay = decay

    def build(self: Any, variables: Any) -> None:
        """Add an average for each of the variables."""
        if not self.built:
            super().build(variables)  # type: ignore[misc]
            self.averages = self.add_optimizer_variables(variables, "average")

    def apply(self: Any, grads: Any, trainable_variables: Any = None) -> None:
        """Do a step, then let the averages follow."""
        super().apply(grads, trainable_variables)  # type: ignore[misc]
        before = ops.cast(self.iterations, "float32") - 1
        new = 1 - ops.minimum(self.decay, before / (before + 9))
        for average, weight in zip(self.averages, self._trainable_variables, strict=True):
            average.assign(average + new * (weight - average))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "decay": self.decay}  # type: ignore[misc]


@keras.saving.register_keras_serializable(package="digits")
class AveragingAdam(_Averaging, optimizers.Adam):
    """Adam that keeps an average of the weights; arguments beside Adam's as of `_Averaging`."""


@keras.saving.register_keras_serializable(package="digits")
class AveragingSGD(_Averaging, optimizers.SGD):
    """SGD that keeps an average of the weights; arguments beside SGD's as of `_Averaging`."""


def averaged_weights(model: keras.Model) -> list[Any]:
    """Return all weights of a compiled model, in the order of `get_weights`: averages where there are any.

    Batch norm's means and variances are not trained and have no average here, as in An et al. 2020: they are moving
    averages already, over the last batches of the same training, and come as they are. Where the rate is still high
    when training ends, statistics estimated anew for the averaged weights do better (docs/record.md has numbers).
    """
    averages = {id(w): a for w, a in zip(model.trainable_weights, model.optimizer.averages, strict=True)}
    return [ops.convert_to_numpy(averages.get(id(weight), weight)) for weight in model.weights]
