"""The teacher is the student's average over time, and teaches what it is sure of."""

import sys
from typing import Any

import numpy as np
import pytest
from small_networks import (
    RECIPE,
    STATISTICS,
    accuracy,
    by_batch,
    dense,
    noise,
    normed,
    randomised,
    softmax,
    trained,
    uci,
    weights_of,
)

from experiments.errors import DigitsError
from experiments.models import Recipe
from experiments.transfer.adaptation.self_training import self_training
from experiments.transfer.predictions import predict_images

MODULE = sys.modules["experiments.transfer.adaptation.self_training"]
IMAGES = noise(40)


@pytest.fixture
def unwarped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "WARPS", Recipe())


def test_the_teacher_is_the_average_of_the_student_over_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    model = randomised(dense(8))
    model.get_layer("logits").bias.assign(6 * np.eye(10)[3])  # so that all teachers teach the same
    monkeypatch.setattr(MODULE, "CONFIDENT", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(MODULE, "MEMORY", 0.0)
        students = [self_training(model, IMAGES, epochs=epochs).model for epochs in (1, 2, 3)]
    assert {digit for one in (model, *students) for digit in predict_images(one, IMAGES).argmax(axis=1)} == {3}
    found = self_training(model, IMAGES, epochs=3).model
    expected = weights_of(model)
    for student in students:
        expected = [0.99 * kept + 0.01 * new for kept, new in zip(expected, weights_of(student), strict=True)]
    for weight, average in zip(weights_of(found), expected, strict=True):
        np.testing.assert_allclose(weight, average, atol=1e-6)
    assert np.abs(weights_of(students[2])[0] - weights_of(model)[0]).max() > 2e-3


@pytest.mark.usefixtures("unwarped")
def test_the_first_step_goes_down_the_cross_entropy_of_the_digits_it_is_sure_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(MODULE, "MEMORY", 0.0)
    model = randomised(dense(4, "tanh"), size=8)
    first, bias, last, last_bias = weights_of(model)
    features = np.tanh(IMAGES.reshape(40, -1) / 255 @ first + bias)
    said = softmax(features @ last + last_bias)
    sure, labels = said.max(axis=1) > 0.968, said.argmax(axis=1)
    assert 5 < sure.sum() < 35
    errors = np.where(sure[:, None], said - np.eye(10)[labels], 0) / 40
    slopes = [features.T @ errors, errors.sum(axis=0)]
    found = self_training(model, IMAGES, epochs=1)
    for after, before, slope in zip(weights_of(found.model)[2:], (last, last_bias), slopes, strict=True):
        clear = np.abs(slope) > 1e-4  # Adam's first step is nearly the rate, whatever the slope
        assert clear.sum() > 2
        np.testing.assert_allclose((after - before)[clear], -1e-3 * np.sign(slope[clear]), rtol=0.05)
    loss = -(sure * np.log(said.max(axis=1) + 1e-7)).mean()
    assert list(found.curve["loss"]) == [pytest.approx(loss, rel=1e-3)]


def test_where_it_is_sure_of_nothing_nothing_is_learned() -> None:
    model = randomised(dense(), size=0.01)
    assert predict_images(model, IMAGES).max() < 0.9
    found = self_training(model, IMAGES, epochs=3)
    for before, after in zip(model.get_weights(), found.model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert found.curve["loss"] == (0.0, 0.0, 0.0)
    assert len(set(found.curve["entropy"])) == 1


@pytest.mark.usefixtures("unwarped")
def test_the_teacher_s_batch_norm_follows_the_student_s() -> None:
    model = randomised(normed(RECIPE.override({"dropout": 0.0})), size=0.01)
    before, after = weights_of(model), weights_of(self_training(model, IMAGES, epochs=1).model)
    for place, seen in zip(STATISTICS, by_batch(before, IMAGES)[0], strict=True):
        student = 0.99 * before[place] + 0.01 * seen
        np.testing.assert_allclose(after[place] - before[place], 0.01 * (student - before[place]), atol=1e-6)


def test_digits_are_warped_anew_at_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "RATE", 0.0)
    monkeypatch.setattr(MODULE, "CONFIDENT", 0.0)
    losses = self_training(randomised(dense(8)), IMAGES, epochs=4).curve["loss"]
    assert len(set(losses)) == 4


@pytest.mark.slow
def test_it_learns_digits_that_are_turned() -> None:
    model, digits = trained(), uci()
    images = np.ascontiguousarray(np.roll(digits.images, 2, axis=2))
    found = self_training(model, images)
    assert accuracy(found.model, images, digits.labels) > accuracy(model, images, digits.labels) + 0.02
    assert found.curve["confident"][-1] > found.curve["confident"][0]


def test_every_epoch_is_told() -> None:
    told: list[tuple[int, int]] = []
    curve = self_training(randomised(dense()), IMAGES, 0, lambda *step: told.append(step), epochs=3).curve
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert {name: len(values) for name, values in curve.items()} == {"loss": 3, "entropy": 4, "confident": 4}


def test_a_rate_beyond_reason_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "RATE", 1e30)
    monkeypatch.setattr(MODULE, "CONFIDENT", 0.0)
    with pytest.raises(DigitsError, match=r"the adaptation diverged: its .* is not finite; try another method"):
        self_training(randomised(dense()), IMAGES, epochs=3)


def test_dropout_is_the_student_s_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "CONFIDENT", 0.0)
    monkeypatch.setattr(MODULE, "RATE", 0.0)
    results: list[Any] = [self_training(randomised(dense(8, dropout=rate)), IMAGES, epochs=2) for rate in (0.0, 0.5)]
    assert results[0].curve["entropy"] == results[1].curve["entropy"]
    assert results[0].curve["loss"] != results[1].curve["loss"]
