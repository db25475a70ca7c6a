"""A training that was interrupted ends as it would have ended undisturbed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_fits import FEW, PERCEPTRON, RANDOM, assert_same, fit_few, fit_misled

from experiments.training import Checkpoint, Epoch


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


def test_interrupted_within_an_epoch_it_repeats_that_epoch(checkpoint: Checkpoint) -> None:
    recipe = RANDOM.override({"epochs": 2})
    with pytest.raises(KeyboardInterrupt):
        fit_few(recipe, PERCEPTRON, checkpoint=checkpoint, on_step=interrupt_at(FEW + 5))
    steps: list[tuple[int, int]] = []
    epochs: list[Epoch] = []
    listeners: dict[str, Any] = {"on_step": lambda *step: steps.append(step), "on_epoch": epochs.append}
    resumed = fit_few(recipe, PERCEPTRON, checkpoint=checkpoint, **listeners)
    assert_same(resumed, fit_few(recipe, PERCEPTRON))
    assert steps == [(done, 2 * FEW) for done in range(FEW + 1, 2 * FEW + 1)]
    assert tuple(epochs) == resumed.epochs
    # A finished training is returned without a further step.
    assert_same(fit_few(recipe, PERCEPTRON, checkpoint=checkpoint, on_step=never), resumed)


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"optimizer": "sgd", "schedule": "cosine", "weight_decay": 1e-3, "precision": "bfloat16"},
        {"optimizer": "sgd", "schedule": "exponential", "rate_decay": 0.7, "ema": 0.99},
        {"ema": 0.99},
    ],
    ids=["adam", "sgd in bfloat16", "averaged sgd", "averaged adam"],
)
def test_a_network_with_every_kind_of_state_is_restored_with(settings: dict[str, Any], checkpoint: Checkpoint) -> None:
    recipe = RANDOM.override({"epochs": 2, "learning_rate": 0.01, **settings})
    # After the last epoch, which is not yet saved then.
    with pytest.raises(KeyboardInterrupt):
        fit_few(recipe, checkpoint=checkpoint, on_epoch=interrupt_after(2))
    assert_same(fit_few(recipe, checkpoint=checkpoint), fit_few(recipe))


@pytest.mark.slow
def test_the_best_epoch_before_an_interruption_is_remembered(checkpoint: Checkpoint) -> None:
    recipe = RANDOM.override({"epochs": 8, "patience": 3, "schedule": "constant"})
    expected = fit_misled(recipe)
    assert len(expected.epochs) == expected.best.number + 3 < 8
    with pytest.raises(KeyboardInterrupt):
        fit_misled(recipe, checkpoint=checkpoint, on_epoch=interrupt_after(expected.best.number + 2))
    assert_same(fit_misled(recipe, checkpoint=checkpoint), expected)
    # It has stopped for good, though epochs are left.
    assert_same(fit_misled(recipe, checkpoint=checkpoint, on_step=never), expected)


def test_over_a_damaged_checkpoint_it_begins_anew(checkpoint: Checkpoint) -> None:
    recipe = RANDOM.override({"epochs": 1})
    finished = fit_few(recipe, PERCEPTRON, checkpoint=checkpoint)
    for file in checkpoint.folder.glob("*.keras"):
        file.write_bytes(file.read_bytes()[:5000])
    steps: list[int] = []
    again = fit_few(recipe, PERCEPTRON, checkpoint=checkpoint, on_step=lambda done, _: steps.append(done))
    assert_same(again, finished)
    assert steps == list(range(1, FEW + 1))
    restored = checkpoint.restore()
    assert restored
    assert restored.epochs[-1].number == 1
