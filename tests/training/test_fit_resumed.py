"""A training that was interrupted ends as it would have ended undisturbed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from small_fits import CONVOLUTIONAL, RANDOM, STEPS, assert_same, fit_misled, fit_uci

from experiments.training import Checkpoint, Epoch, Fit


def interrupt_after(number: int) -> Callable[[Epoch], None]:
    """Return a listener that ends the training after an epoch, before it is saved."""

    def listen(epoch: Epoch) -> None:
        if epoch.number == number:
            raise KeyboardInterrupt

    return listen


def interrupt_at(step: int) -> Callable[[int, int], None]:
    """Return a listener that ends the training after a step."""

    def listen(done: int, _planned: int) -> None:
        if done == step:
            raise KeyboardInterrupt

    return listen


def never(done: int, planned: int) -> None:
    raise AssertionError(f"no step was due, but {done} of {planned} is done")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    return Checkpoint(tmp_path / "runs" / "checkpoint")


@pytest.fixture(scope="module")
def undisturbed() -> Fit:
    return fit_uci(RANDOM, CONVOLUTIONAL)


@pytest.mark.parametrize("number", [1, 4])
def test_interrupted_after_an_epoch_it_repeats_that_epoch(
    number: int, undisturbed: Fit, checkpoint: Checkpoint
) -> None:
    with pytest.raises(KeyboardInterrupt):
        fit_uci(RANDOM, CONVOLUTIONAL, checkpoint=checkpoint, on_epoch=interrupt_after(number))
    steps: list[tuple[int, int]] = []
    epochs: list[Epoch] = []
    resumed = fit_uci(
        RANDOM,
        CONVOLUTIONAL,
        checkpoint=checkpoint,
        on_step=lambda *step: steps.append(step),
        on_epoch=epochs.append,
    )
    assert steps == [(done, 4 * STEPS) for done in range((number - 1) * STEPS + 1, 4 * STEPS + 1)]
    assert tuple(epochs) == resumed.epochs
    assert_same(resumed, undisturbed)


def test_interrupted_again_and_again_within_epochs_it_ends_the_same(undisturbed: Fit, checkpoint: Checkpoint) -> None:
    for step in (STEPS + 1, 4 * STEPS - 1):
        with pytest.raises(KeyboardInterrupt):
            fit_uci(RANDOM, CONVOLUTIONAL, checkpoint=checkpoint, on_step=interrupt_at(step))
    assert_same(fit_uci(RANDOM, CONVOLUTIONAL, checkpoint=checkpoint), undisturbed)


def test_it_holds_for_sgd_in_bfloat16(checkpoint: Checkpoint) -> None:
    sgd = {"optimizer": "sgd", "schedule": "cosine", "learning_rate": 0.03, "weight_decay": 1e-3}
    recipe = RANDOM.override({**sgd, "epochs": 3, "precision": "bfloat16"})
    with pytest.raises(KeyboardInterrupt):
        fit_uci(recipe, checkpoint=checkpoint, on_epoch=interrupt_after(3))
    assert_same(fit_uci(recipe, checkpoint=checkpoint), fit_uci(recipe))


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_it_holds_for_averaged_weights(optimizer: str, checkpoint: Checkpoint) -> None:
    averaged = {"optimizer": optimizer, "ema": 0.99, "schedule": "exponential", "rate_decay": 0.7, "epochs": 3}
    recipe = RANDOM.override(averaged)
    undisturbed = fit_uci(recipe, CONVOLUTIONAL)
    with pytest.raises(KeyboardInterrupt):
        fit_uci(recipe, CONVOLUTIONAL, checkpoint=checkpoint, on_step=interrupt_at(STEPS + 5))
    with pytest.raises(KeyboardInterrupt):
        fit_uci(recipe, CONVOLUTIONAL, checkpoint=checkpoint, on_epoch=interrupt_after(3))
    assert_same(fit_uci(recipe, CONVOLUTIONAL, checkpoint=checkpoint), undisturbed)


def test_the_best_epoch_before_an_interruption_is_remembered(checkpoint: Checkpoint) -> None:
    recipe = RANDOM.override({"epochs": 8, "patience": 3, "schedule": "constant"})
    expected = fit_misled(recipe)
    assert len(expected.epochs) == expected.best.number + 3 < 8
    with pytest.raises(KeyboardInterrupt):
        fit_misled(recipe, checkpoint=checkpoint, on_epoch=interrupt_after(expected.best.number + 2))
    assert_same(fit_misled(recipe, checkpoint=checkpoint), expected)
    # It has stopped for good, though epochs are left.
    assert_same(fit_misled(recipe, checkpoint=checkpoint, on_step=never), expected)


def test_a_finished_training_is_returned_without_a_further_step(checkpoint: Checkpoint) -> None:
    recipe = RANDOM.override({"epochs": 2})
    finished = fit_uci(recipe, checkpoint=checkpoint)
    assert_same(fit_uci(recipe, checkpoint=checkpoint, on_step=never), finished)


def test_over_a_damaged_checkpoint_it_begins_anew(checkpoint: Checkpoint) -> None:
    recipe = RANDOM.override({"epochs": 2})
    finished = fit_uci(recipe, checkpoint=checkpoint)
    for file in checkpoint.folder.glob("*.keras"):
        file.write_bytes(file.read_bytes()[:5000])
    steps: list[int] = []
    assert_same(fit_uci(recipe, checkpoint=checkpoint, on_step=lambda done, _: steps.append(done)), finished)
    assert steps == list(range(1, 2 * STEPS + 1))
    restored = checkpoint.restore()
    assert restored
    assert restored.epochs[-1].number == 2
