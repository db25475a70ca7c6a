"""The average of the weights: its values, and that it is what counts."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from small_fits import CONVOLUTIONAL, PLAIN, fit_few, uci

from experiments.models import Recipe
from experiments.models.prediction import predict
from experiments.training import Fit
from experiments.training.averaging import averaged_weights
from experiments.training.fit import compiled_model

AVERAGED = replace(PLAIN, ema=0.9, epochs=2)


def trained_for(steps: int, recipe: Recipe) -> tuple[Any, list[list[NDArray[Any]]]]:
    """Return a network after some steps and its weights after each of them."""
    train, _ = uci()
    model, history = compiled_model(CONVOLUTIONAL, recipe, steps=9), []
    for step in range(steps):
        batch = train.take(range(20 * step, 20 * step + 20))
        model.train_on_batch(batch.as_float(), np.eye(10)[batch.labels])
        history.append(model.get_weights())
    return model, history


@pytest.mark.parametrize(("optimizer", "decay"), [("adam", 0.3), ("sgd", 0.999)])
def test_the_average_is_the_published_one_counted_from_the_second_step(optimizer: str, decay: float) -> None:
    model, history = trained_for(8, AVERAGED.override({"optimizer": optimizer, "ema": decay}))
    expected = history[0]
    for n, weights in enumerate(history[1:]):
        kept = min(decay, (1 + n) / (10 + n))
        expected = [kept * average + (1 - kept) * weight for average, weight in zip(expected, weights, strict=True)]
    trained = {id(weight) for weight in model.trainable_weights}
    averages = averaged_weights(model)
    for weight, average, by_hand, last in zip(model.weights, averages, expected, history[-1], strict=True):
        # The statistics of batch norm are no trained weights.
        np.testing.assert_allclose(average, by_hand if id(weight) in trained else last, rtol=1e-5, atol=1e-6)


@pytest.fixture(scope="module")
def averaged() -> Fit:
    return fit_few(AVERAGED)


def test_the_average_does_not_change_the_training(averaged: Fit) -> None:
    plain = fit_few(replace(AVERAGED, ema=0))
    assert [epoch.loss for epoch in plain.epochs] == pytest.approx([epoch.loss for epoch in averaged.epochs], rel=1e-5)
    assert plain.best.val_loss != averaged.best.val_loss


def test_the_averaged_weights_are_those_measured_and_kept(averaged: Fit) -> None:
    _, validation = uci()
    predicted = predict(averaged.model, validation)
    correct = predicted.argmax(axis=1) == validation.labels
    assert correct.mean() == pytest.approx(averaged.best.val_accuracy)
    loss = -np.log(predicted[np.arange(len(validation)), validation.labels]).mean()
    assert loss == pytest.approx(averaged.best.val_loss, rel=1e-4)
