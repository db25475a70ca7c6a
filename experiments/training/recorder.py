"""The Keras callback that records epochs, keeps the best weights and stops in time."""

from collections.abc import Callable
from math import isfinite
from time import perf_counter
from typing import Any

import keras

from experiments.models import Recipe
from experiments.processes import heed_signals
from experiments.training.averaging import averaged_weights
from experiments.training.checkpoint import Checkpoint, TrainingState
from experiments.training.epoch import DivergedError, Epoch, best_epoch, out_of_patience

MEASURED = ("loss", "accuracy", "val_loss", "val_accuracy")


class Recorder(keras.callbacks.Callback):
    """Records one `Epoch` after another.

    Keras's own EarlyStopping and BackupAndRestore do not know of each other: a restored run would have forgotten its
    best epoch. Here both follow from the record of epochs, which is what the checkpoint holds.

    Where the recipe averages weights, the averaged ones are validated and kept as the best; the training goes on from
    its own, and both are in the checkpoint.

    Parameters
    ----------
    recipe
        Gives epochs and patience.
    state
        What to continue from; its epochs are told to `on_epoch` at once.
    checkpoint, on_step, on_epoch
        As in `experiments.training.fit.fit`.
    """

    def __init__(
        self,
        recipe: Recipe,
        state: TrainingState,
        *,
        checkpoint: Checkpoint | None = None,
        on_step: Callable[[int, int], None] | None = None,
        on_epoch: Callable[[Epoch], None] | None = None,
    ) -> None:
        super().__init__()
        self.epochs = list(state.epochs)
        self.best_weights = state.best_weights
        self._recipe, self._checkpoint = recipe, checkpoint
        self._on_step, self._on_epoch = on_step or _ignore, on_epoch or _ignore
        self._start = 0.0
        self._own_weights: list[Any] = []
        for epoch in self.epochs:
            self._on_epoch(epoch)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Start the clock, and dropout's random numbers at a place that depends on seed and epoch alone."""
        self._start = perf_counter()
        for i, layer in enumerate(self.model.layers):
            if hasattr(layer, "seed_generator"):
                layer.seed_generator.state.assign(
                    [(self._recipe.seed * 1_000_003 + i) % 2**32, epoch * self.params["steps"]]
                )

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Tell the progress, unless the work is to be stopped."""
        heed_signals()
        steps = self.params["steps"]
        self._on_step(len(self.epochs) * steps + batch + 1, self._recipe.epochs * steps)

    def on_test_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        """Let the averaged weights be validated."""
        if self._recipe.ema:
            self._own_weights = self.model.get_weights()
            self.model.set_weights(averaged_weights(self.model))

    def on_test_end(self, logs: Any = None) -> None:  # noqa: ARG002
        """Give the training its own weights back."""
        if self._recipe.ema:
            self.model.set_weights(self._own_weights)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Record the epoch, keep the weights if they are the best, save, and stop when patience has run out."""
        measured = {name: float(logs[name]) for name in MEASURED}
        if not all(isfinite(value) for value in measured.values()):
            raise DivergedError(
                f"training diverged: the loss of epoch {epoch + 1} is not finite; try a lower --learning-rate"
            )
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        row = Epoch(number=epoch + 1, **measured, learning_rate=rate, seconds=perf_counter() - self._start)
        self.epochs.append(row)
        if best_epoch(self.epochs) is row:
            self.best_weights = averaged_weights(self.model) if self._recipe.ema else self.model.get_weights()
        self._on_epoch(row)
        if self._checkpoint:
            self._checkpoint.save(self.model, self.best_weights, self.epochs)
        if out_of_patience(self.epochs, self._recipe.patience):
            self.model.stop_training = True


def _ignore(*_: Any) -> None:
    pass
