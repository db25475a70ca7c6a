"""The optimizer and the loss follow the recipe."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from small_fits import PERCEPTRON, PLAIN, uci

from experiments.models import Recipe
from experiments.models.prediction import predict
from experiments.training.fit import compiled_model
from experiments.training.pipeline import validation_batches

PEAK = 0.02


def rates(recipe: Recipe, steps_per_epoch: int) -> NDArray[np.float64]:
    """Return the learning rate of every step, and the one after the last."""
    optimizer = compiled_model(PERCEPTRON, recipe, steps_per_epoch).optimizer
    followed = []
    for step in range(recipe.epochs * steps_per_epoch + 1):
        optimizer.iterations.assign(step)
        followed.append(float(optimizer.learning_rate))
    return np.array(followed)


def half_cosine(steps: int) -> NDArray[np.float64]:
    """Fall from 1 to 0."""
    return (1 + np.cos(np.pi * np.arange(steps + 1) / steps)) / 2


def one_cycle(steps: int) -> NDArray[np.float64]:
    """Rise from 1/25 to 1 over 30 % of all steps, then fall as half a cosine; without room to rise only fall."""
    rise = steps * 3 // 10
    return np.concatenate([np.linspace(1 / 25, 1, rise + 1)[:rise], half_cosine(steps - rise)])


@pytest.mark.parametrize(("epochs", "steps"), [(1, 1), (1, 2), (1, 3), (1, 10), (3, 7), (4, 25), (2, 4)])
def test_the_rate_follows_the_schedule_over_all_steps(epochs: int, steps: int) -> None:
    expected = {
        "constant": np.ones(epochs * steps + 1),
        "cosine": half_cosine(epochs * steps),
        "one-cycle": one_cycle(epochs * steps),
        "exponential": 0.9 ** (np.arange(epochs * steps + 1) // steps),  # after each epoch
    }
    for schedule, shares in expected.items():
        settings = {"learning_rate": PEAK, "schedule": schedule, "rate_decay": 0.9, "epochs": epochs}
        np.testing.assert_allclose(rates(PLAIN.override(settings), steps), PEAK * shares, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "adam", "beta_1": 0.7, "beta_2": 0.95, "weight_decay": 1e-4},
        {"optimizer": "sgd", "weight_decay": 1e-4},
    ],
)
def test_the_optimizer_is_the_recipe_s(settings: dict[str, Any]) -> None:
    optimizer = compiled_model(PERCEPTRON, PLAIN.override(settings), 1).optimizer
    # Without an average it is Keras's own.
    assert type(optimizer).__name__.lower() == settings.pop("optimizer")
    momentum = {"momentum": 0.9, "nesterov": True} if "beta_1" not in settings else {}
    assert {**settings, **momentum}.items() <= optimizer.get_config().items()


@pytest.mark.parametrize("smoothing", [0, 0.2])
def test_the_loss_is_cross_entropy_with_smoothed_labels(smoothing: float) -> None:
    _, validation = uci()
    model = compiled_model(PERCEPTRON, replace(PLAIN, label_smoothing=smoothing, precision="float32"), 1)
    loss, _ = model.evaluate(validation_batches(validation), verbose=0)
    targets = (1 - smoothing) * np.eye(10)[validation.labels] + smoothing / 10
    probabilities = predict(model, validation).astype(np.float64)
    assert loss == pytest.approx(-np.sum(targets * np.log(probabilities), axis=1).mean(), rel=1e-5)
