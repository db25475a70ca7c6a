from types import SimpleNamespace

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.training import Epoch, best_epoch
from experiments.training.epoch import out_of_patience

# Exact in float32, in which Keras compares.
LOSS = st.sampled_from([0.125, 0.25, 0.375, 0.5]) | st.floats(0, 10, width=32, allow_subnormal=False)
LOSSES = st.lists(LOSS, min_size=1, max_size=30)


def epochs_with(losses: list[float]) -> list[Epoch]:
    return [Epoch(number, 1.0, 0.5, loss, 0.5, 1e-3, 2.0) for number, loss in enumerate(losses, start=1)]


@given(losses=LOSSES)
def test_the_best_epoch_has_the_lowest_validation_loss_and_is_the_first_such(losses: list[float]) -> None:
    assert best_epoch(epochs_with(losses)).number == np.argmin(losses) + 1
    with pytest.raises(ValueError, match="empty"):
        best_epoch([])


def keras_stops_after(losses: list[float], patience: int) -> int | None:
    """Return the epoch after which Keras's own early stopping ends a training."""
    stopper = keras.callbacks.EarlyStopping(monitor="val_loss", patience=patience, mode="min")
    stopper.set_model(SimpleNamespace(stop_training=False))
    stopper.on_train_begin()
    for epoch, loss in enumerate(losses):
        stopper.on_epoch_end(epoch, {"val_loss": loss})
        if stopper.model.stop_training:
            return epoch + 1
    return None


@given(losses=LOSSES, patience=st.integers(1, 6))
def test_patience_is_keras_s_early_stopping(losses: list[float], patience: int) -> None:
    epochs = epochs_with(losses)
    ends = (n for n in range(1, len(epochs) + 1) if out_of_patience(epochs[:n], patience))
    assert next(ends, None) == keras_stops_after(losses, patience)


@given(losses=LOSSES)
def test_a_patience_of_0_never_ends(losses: list[float]) -> None:
    assert not out_of_patience(epochs_with(losses), 0)
    assert not out_of_patience([], 1)


def test_metrics_are_all_measurements_by_name() -> None:
    measured = {"loss": 0.1, "accuracy": 0.2, "val_loss": 0.3, "val_accuracy": 0.4, "learning_rate": 0.5, "seconds": 6}
    assert Epoch(number=3, **measured).metrics() == measured
