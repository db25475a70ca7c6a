import gc
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import log_loss
from sklearn.preprocessing import normalize
from small_fits import (
    PERCEPTRON,
    PLAIN,
    RANDOM,
    STEPS,
    assert_same,
    assert_same_weights,
    fit_misled,
    fit_uci,
    measured,
    misleading,
    uci,
)

from experiments.datasets import Split
from experiments.errors import DigitsError, UsageError
from experiments.models.prediction import predict
from experiments.training import Checkpoint, Epoch, Fit, fit, release_memory


@pytest.fixture(scope="module")
def plain() -> Fit:
    return fit_uci(PLAIN)


@pytest.fixture(scope="module")
def random() -> Fit:
    return fit_uci(RANDOM)


@pytest.fixture(scope="module")
def misled() -> Fit:
    return fit_misled(PLAIN)


def probabilities(fitted: Fit, split: Split) -> NDArray[np.float64]:
    """Return rows that sum to 1 in double precision, as scikit-learn demands."""
    return np.asarray(normalize(predict(fitted.model, split).astype(np.float64), norm="l1"))


def test_a_perceptron_learns_the_digits_in_five_epochs(plain: Fit) -> None:
    assert plain.best.val_accuracy > 0.95
    losses = [epoch.loss for epoch in plain.epochs]
    assert losses == sorted(losses, reverse=True)
    assert [epoch.number for epoch in plain.epochs] == [1, 2, 3, 4, 5]
    assert plain.seconds == pytest.approx(sum(epoch.seconds for epoch in plain.epochs))
    assert min(epoch.seconds for epoch in plain.epochs) > 0


def test_bfloat16_learns_as_well() -> None:
    fitted = fit_uci(PLAIN.override({"precision": "bfloat16"}))
    assert fitted.best.val_accuracy > 0.95
    assert fitted.model.get_layer("penultimate").compute_dtype == "bfloat16"
    assert keras.config.dtype_policy().name == "float32"


def test_what_was_measured_is_what_the_model_does(plain: Fit) -> None:
    _, validation = uci()
    predicted = probabilities(plain, validation)
    assert np.mean(predicted.argmax(axis=1) == validation.labels) == pytest.approx(plain.best.val_accuracy)
    assert log_loss(validation.labels, predicted) == pytest.approx(plain.best.val_loss, rel=1e-5)


def test_the_same_seed_gives_the_same_training_whoever_listens_and_leaves_no_files(
    random: Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    steps: list[tuple[int, int]] = []
    epochs: list[Epoch] = []
    fitted = fit_uci(RANDOM, on_step=lambda *step: steps.append(step), on_epoch=epochs.append)
    assert_same(fitted, random)
    assert steps == [(done, 3 * STEPS) for done in range(1, 3 * STEPS + 1)]
    assert tuple(epochs) == fitted.epochs
    assert not list(tmp_path.iterdir())


def test_a_training_may_end_before_the_last_epoch_of_its_recipe(random: Fit) -> None:
    assert measured(fit_uci(RANDOM, until=1).epochs) == measured(random.epochs)[:1]


def test_another_seed_gives_another_training(random: Fit) -> None:
    (other,) = fit_uci(RANDOM.override({"seed": 2**31 - 1}), until=1).epochs
    assert other.loss != random.epochs[0].loss


def test_dropout_draws_anew_in_every_epoch() -> None:
    train, validation = uci()
    # Neither the weights nor the order of the images can tell one epoch from another.
    recipe = PLAIN.override({"epochs": 3, "dropout": 0.5, "learning_rate": 1e-30})
    epochs = fit(PERCEPTRON, recipe, train.take([0] * 64), validation).epochs
    assert len({epoch.val_loss for epoch in epochs}) == 1
    assert len({epoch.loss for epoch in epochs}) == 3


def test_the_rate_of_an_epoch_is_that_at_its_end(plain: Fit, random: Fit) -> None:
    assert [epoch.learning_rate for epoch in plain.epochs] == pytest.approx([3e-3] * 5)
    # One cycle has reached its peak after 36 of the 123 steps; then it is half a cosine.
    falling = 3e-3 * (1 + np.cos(np.pi * (np.array([41, 82, 123]) - 36) / (123 - 36))) / 2
    assert [epoch.learning_rate for epoch in random.epochs] == pytest.approx(falling, abs=1e-8)


def test_the_best_epoch_s_weights_are_kept(misled: Fit) -> None:
    _, validation = uci()
    assert misled.best.number < len(misled.epochs) == 5
    labels = misleading(validation).labels
    assert log_loss(labels, probabilities(misled, validation)) == pytest.approx(misled.best.val_loss, rel=1e-5)


def test_training_stops_when_patience_has_run_out(misled: Fit) -> None:
    stopped = fit_misled(PLAIN.override({"patience": 2}))
    assert len(stopped.epochs) == misled.best.number + 2 < 5
    assert measured(stopped.epochs) == measured(misled.epochs)[: len(stopped.epochs)]
    assert_same_weights(stopped.model.get_weights(), misled.model.get_weights())


def test_a_batch_may_take_all_the_data_and_no_more(tmp_path: Path) -> None:
    train, validation = uci()
    recipe = PLAIN.override({"epochs": 1})
    assert len(fit(PERCEPTRON, recipe, train.take(range(32)), validation).epochs) == 1
    with pytest.raises(UsageError, match=r"batch_size 32 .* 31 "):
        fit(PERCEPTRON, recipe, train.take(range(31)), validation, checkpoint=Checkpoint(tmp_path / "checkpoint"))
    assert not list(tmp_path.iterdir())


def test_a_loss_that_is_no_number_ends_the_training() -> None:
    recorded: list[Epoch] = []
    with pytest.raises(DigitsError, match=r"epoch 1 .*--learning-rate"):
        fit_uci(PLAIN.override({"optimizer": "sgd", "learning_rate": 1e30}), on_epoch=recorded.append)
    assert not recorded


def graphs() -> int:
    return sum(type(held).__name__ == "FuncGraph" for held in gc.get_objects())


@pytest.mark.slow
def test_no_graph_of_a_network_that_is_gone_is_held_and_one_that_is_there_goes_on_predicting() -> None:
    _, digits = uci()
    kept = fit_uci(PLAIN, until=1).model
    expected = predict(kept, digits)
    release_memory()
    before = graphs()
    for _ in range(2):
        fit_uci(PLAIN, until=1)
        release_memory()
    assert graphs() == before
    np.testing.assert_allclose(predict(kept, digits), expected, rtol=1e-5)
