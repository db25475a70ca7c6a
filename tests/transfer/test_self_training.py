"""The teacher is the student's average over the steps, and teaches the images that it is confident of."""

import sys

import numpy as np
import pytest
import small_networks as small

from experiments.models import Recipe
from experiments.transfer.adaptation.self_training import self_training
from experiments.transfer.predictions import predict_images

MODULE = sys.modules["experiments.transfer.adaptation.self_training"]
IMAGES = small.noise(40)


@pytest.fixture
def unwarped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "WARPS", Recipe())


def test_the_teacher_is_the_average_of_the_student_over_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small.randomised(small.dense(8))
    model.get_layer("logits").bias.assign(6 * np.eye(10)[3])  # so that all teachers teach the same
    monkeypatch.setattr(MODULE, "CONFIDENT", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(MODULE, "MEMORY", 0.0)
        students = [self_training(model, IMAGES, epochs=epochs).model for epochs in (1, 2, 3)]
    assert {digit for one in (model, *students) for digit in predict_images(one, IMAGES).argmax(axis=1)} == {3}
    found = self_training(model, IMAGES, epochs=3).model
    expected = small.weights_of(model)
    for student in students:
        expected = [0.99 * kept + 0.01 * new for kept, new in zip(expected, small.weights_of(student), strict=True)]
    for weight, average in zip(small.weights_of(found), expected, strict=True):
        np.testing.assert_allclose(weight, average, atol=1e-6)
    assert np.abs(small.weights_of(students[2])[0] - small.weights_of(model)[0]).max() > 2e-3


@pytest.mark.usefixtures("unwarped")
def test_the_first_step_goes_down_the_cross_entropy_of_the_confident_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "MEMORY", 0.0)
    model = small.randomised(small.dense(4, "tanh"), size=8)
    first, bias, last, last_bias = small.weights_of(model)
    features = np.tanh(IMAGES.reshape(40, -1) / 255 @ first + bias)
    predicted = small.softmax(features @ last + last_bias)
    confident, labels = predicted.max(axis=1) > 0.968, predicted.argmax(axis=1)
    assert 5 < confident.sum() < 35
    errors = np.where(confident[:, None], predicted - np.eye(10)[labels], 0) / 40
    slopes = [features.T @ errors, errors.sum(axis=0)]
    found = self_training(model, IMAGES, epochs=1)
    for after, before, slope in zip(small.weights_of(found.model)[2:], (last, last_bias), slopes, strict=True):
        clear = np.abs(slope) > 1e-4  # Adam's first step is nearly the rate, whatever the slope
        assert clear.sum() > 2
        np.testing.assert_allclose((after - before)[clear], -1e-3 * np.sign(slope[clear]), rtol=0.05)
    loss = -(confident * np.log(predicted.max(axis=1) + 1e-7)).mean()
    assert list(found.curve["loss"]) == [pytest.approx(loss, rel=1e-3)]


def test_without_a_confident_image_nothing_is_learned() -> None:
    model = small.randomised(small.dense(), size=0.01)
    found = self_training(model, IMAGES, epochs=3)
    for before, after in zip(model.get_weights(), found.model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert found.curve["loss"] == (0.0, 0.0, 0.0)
    assert len(set(found.curve["entropy"])) == 1


@pytest.mark.usefixtures("unwarped")
def test_the_teacher_s_batch_norm_follows_the_student_s() -> None:
    model = small.randomised(small.normed(small.RECIPE.override({"dropout": 0.0})), size=0.01)
    before, after = small.weights_of(model), small.weights_of(self_training(model, IMAGES, epochs=1).model)
    for place, seen in zip(small.STATISTICS, small.by_batch(before, IMAGES)[0], strict=True):
        student = 0.99 * before[place] + 0.01 * seen
        np.testing.assert_allclose(after[place] - before[place], 0.01 * (student - before[place]), atol=1e-6)


def test_images_are_warped_anew_at_every_step_and_dropout_is_the_student_s_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(MODULE, "RATE", 0.0)
    monkeypatch.setattr(MODULE, "CONFIDENT", 0.0)
    plain, dropped = (
        self_training(small.randomised(small.dense(8, dropout=rate)), IMAGES, epochs=3).curve for rate in (0.0, 0.5)
    )
    assert len(set(plain["loss"])) == 3
    assert plain["loss"] != dropped["loss"]
    assert plain["entropy"] == dropped["entropy"]
