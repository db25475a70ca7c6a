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


def test_a_constant_rate_stays() -> None:
    recipe = replace(PLAIN, learning_rate=PEAK, schedule="constant", epochs=2)
    np.testing.assert_allclose(rates(recipe, 5), PEAK, rtol=1e-6)


@pytest.mark.parametrize(("epochs", "steps"), [(1, 1), (1, 10), (3, 7)])
def test_a_cosine_falls_from_the_peak_to_0_over_all_steps(epochs: int, steps: int) -> None:
    recipe = replace(PLAIN, learning_rate=PEAK, schedule="cosine", epochs=epochs)
    np.testing.assert_allclose(rates(recipe, steps), PEAK * half_cosine(epochs * steps), rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(("epochs", "steps"), [(1, 10), (4, 25), (2, 4)])
def test_one_cycle_rises_for_30_percent_of_all_steps_then_falls_as_a_cosine(epochs: int, steps: int) -> None:
    recipe = replace(PLAIN, learning_rate=PEAK, schedule="one-cycle", epochs=epochs)
    followed = rates(recipe, steps)
    rise = epochs * steps * 3 // 10
    assert followed[0] == pytest.approx(PEAK / 25)
    assert followed.argmax() == rise
    assert followed.max() == pytest.approx(PEAK)
    np.testing.assert_allclose(followed[: rise + 1], np.linspace(PEAK / 25, PEAK, rise + 1), rtol=1e-5)
    np.testing.assert_allclose(followed[rise:], PEAK * half_cosine(epochs * steps - rise), rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_one_cycle_without_room_to_rise_only_falls(steps: int) -> None:
    recipe = replace(PLAIN, learning_rate=PEAK, schedule="one-cycle", epochs=1)
    np.testing.assert_allclose(rates(recipe, steps), PEAK * half_cosine(steps), rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("kept", [0.98, 1])
def test_an_exponential_rate_falls_after_each_epoch(kept: float) -> None:
    recipe = replace(PLAIN, learning_rate=PEAK, schedule="exponential", rate_decay=kept, epochs=3)
    expected = PEAK * kept ** np.repeat(np.arange(4), 5)[:16]
    np.testing.assert_allclose(rates(recipe, 5), expected, rtol=1e-5)


def configuration(recipe: Recipe, *names: str) -> dict[str, Any]:
    optimizer = compiled_model(PERCEPTRON, recipe, 1).optimizer
    configured = {"class": type(optimizer).__name__, **optimizer.get_config()}
    return {name: configured[name] for name in ("class", *names)}


def test_adam_has_the_recipe_s_decay_rates() -> None:
    recipe = replace(PLAIN, optimizer="adam", beta_1=0.7, beta_2=0.95, weight_decay=1e-4)
    expected = {"class": "Adam", "beta_1": 0.7, "beta_2": 0.95, "weight_decay": 1e-4}
    assert configuration(recipe, "beta_1", "beta_2", "weight_decay") == expected


def test_sgd_has_nesterov_momentum() -> None:
    recipe = replace(PLAIN, optimizer="sgd", weight_decay=1e-4)
    expected = {"class": "SGD", "momentum": 0.9, "nesterov": True, "weight_decay": 1e-4}
    assert configuration(recipe, "momentum", "nesterov", "weight_decay") == expected


@pytest.mark.parametrize("smoothing", [0, 0.2])
def test_the_loss_is_cross_entropy_with_smoothed_labels(smoothing: float) -> None:
    _, validation = uci()
    model = compiled_model(PERCEPTRON, replace(PLAIN, label_smoothing=smoothing, precision="float32"), 1)
    loss, _ = model.evaluate(validation_batches(validation), verbose=0)
    targets = (1 - smoothing) * np.eye(10)[validation.labels] + smoothing / 10
    probabilities = predict(model, validation).astype(np.float64)
    assert loss == pytest.approx(-np.sum(targets * np.log(probabilities), axis=1).mean(), rel=1e-5)
