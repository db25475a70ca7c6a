"""AdaBN and Tent beside their reference in NumPy, which knows no dropout and no order of layers but its own."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from small_networks import (
    SCALES_AND_OFFSETS,
    STATISTICS,
    Arrays,
    ImageArray,
    accuracy,
    by_batch,
    entropies,
    faded,
    noise,
    normed,
    randomised,
    trained,
    uci,
    weights_of,
)

from experiments.errors import UsageError
from experiments.models import IMAGE_SHAPE
from experiments.models.layers import classifier
from experiments.training.precision import precision_policy
from experiments.transfer.adaptation import batch_statistics
from experiments.transfer.adaptation.adabn import adabn
from experiments.transfer.adaptation.descent import shuffled
from experiments.transfer.adaptation.tent import tent
from experiments.transfer.predictions import predict_images


def statistics(weights: Arrays, images: ImageArray, seed: int) -> Arrays:
    """Return the means over batches of their statistics."""
    batches = shuffled(len(images), batch_statistics.STATISTICS_BATCH, np.random.default_rng(seed))
    return [np.mean(each, axis=0) for each in zip(*(by_batch(weights, images[b])[0] for b in batches), strict=True)]


def assert_statistics(model: keras.Model, expected: Arrays, rtol: float = 1e-4) -> None:
    found = model.get_weights()
    for place, statistic in zip(STATISTICS, expected, strict=True):
        np.testing.assert_allclose(found[place], statistic, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("n", [2, 30, 100, 141])
def test_adabn_finds_the_statistics_of_the_target(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_statistics, "STATISTICS_BATCH", 40)
    model, images = randomised(normed()), noise(n)
    adapted = adabn(model, images, seed=3).model
    assert_statistics(adapted, statistics(weights_of(model), images, seed=3))
    for i, (before, after) in enumerate(zip(model.get_weights(), adapted.get_weights(), strict=True)):
        assert (before == after).all() == (i not in STATISTICS)


def test_with_the_statistics_of_all_digits_as_one_batch_it_says_what_it_said_by_batch() -> None:
    model, images = randomised(normed()), noise(300)
    expected = by_batch(weights_of(model), images)[1]
    np.testing.assert_allclose(predict_images(adabn(model, images).model, images), expected, atol=1e-4)


def test_batch_norm_is_found_within_networks_and_wherever_it_is_frozen() -> None:
    flat, images = randomised(normed()), noise(50)
    inputs, inner = keras.Input(IMAGE_SHAPE), normed()
    nested = keras.Model(inputs, inner(inputs))
    nested.set_weights(flat.get_weights())
    nested.trainable = False
    adapted = adabn(nested, images).model
    assert_statistics(adapted, statistics(weights_of(flat), images, seed=0))
    assert tent(nested, images).curve["loss"] == pytest.approx(tent(flat, images).curve["loss"])


@keras.saving.register_keras_serializable(package="digits-tests")
class OwnNorm(layers.BatchNormalization):  # type: ignore[misc]
    pass


def test_any_kind_of_batch_norm_is_one_and_nothing_random_disturbs_it() -> None:
    def build(*noises: Any) -> keras.Model:
        inputs = x = keras.Input(IMAGE_SHAPE)
        for layer in noises:
            x = layer(x)
        x = OwnNorm(name="own")(layers.Flatten()(x))
        return randomised(keras.Model(inputs, classifier(x)))

    random = [
        layers.RandomTranslation(0.3, 0.3),
        layers.GaussianNoise(0.5),
        layers.SpatialDropout2D(0.5),
        layers.GaussianDropout(0.5),
        layers.AlphaDropout(0.5),
    ]
    images = noise(40)
    for adapt in (adabn, tent):
        quiet, disturbed = adapt(build(), images), adapt(build(*random), images)
        for one, other in zip(quiet.model.get_weights(), disturbed.model.get_weights(), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)
    np.testing.assert_allclose(disturbed.model.get_layer("own").moving_mean, images.reshape(40, -1).mean(0) / 255, 1e-5)


def test_in_bfloat16_the_statistics_are_nearly_the_same() -> None:
    images = noise(200)
    with precision_policy("bfloat16"):
        model = randomised(normed())
    adapted = adabn(model, images).model
    assert adapted.get_layer("penultimate").compute_dtype == "bfloat16"
    assert_statistics(adapted, statistics(weights_of(model), images, seed=0), rtol=0.03)
    assert tent(model, images).model.get_weights()[2].dtype == np.float32


def test_the_first_step_of_tent_goes_down_the_entropy_over_scales_and_offsets() -> None:
    model, images = randomised(normed()), noise(150)
    weights, h = weights_of(model), 1e-5

    def entropy(place: int, i: int, change: float) -> float:
        changed = [weight.copy() for weight in weights]
        changed[place][i] += change
        return float(entropies(by_batch(changed, images)[1]).mean())

    found = weights_of(tent(model, images).model)
    told = 0
    for place in SCALES_AND_OFFSETS:
        for i in range(len(weights[place])):
            slope = (entropy(place, i, h) - entropy(place, i, -h)) / (2 * h)
            if abs(slope) > 1e-4:  # Adam's first step is the rate, whatever the slope
                assert found[place][i] - weights[place][i] == pytest.approx(-1e-3 * np.sign(slope), rel=0.01)
                told += 1
    assert told > 20
    changed = [(one != other).any() for one, other in zip(weights, found, strict=True)]
    assert np.flatnonzero(changed).tolist() == sorted(SCALES_AND_OFFSETS + STATISTICS)


def test_tent_ends_with_statistics_under_its_new_scales_and_begins_with_the_entropy_by_batch() -> None:
    model, images = randomised(normed()), noise(150)
    adapted = tent(model, images, seed=2)
    assert_statistics(adapted.model, statistics(weights_of(adapted.model), images, seed=2))
    first = entropies(by_batch(weights_of(model), images)[1]).mean()
    assert list(adapted.curve["loss"]) == [pytest.approx(first, rel=1e-4)]


@pytest.mark.parametrize("adapt", [adabn, tent])
def test_grey_digits_are_recognised_again(adapt: Any) -> None:
    model, digits = trained(), uci()
    images = faded(digits.images)
    found = adapt(model, images)
    before, after = (accuracy(one, images, digits.labels) for one in (model, found.model))
    assert before < 0.7
    assert after > 0.9
    assert found.curve["entropy"][1] < found.curve["entropy"][0]


def test_tent_is_surer_than_adabn() -> None:
    model, images = trained(), faded(uci().images)
    assert tent(model, images).curve["entropy"][-1] < adabn(model, images).curve["entropy"][-1]


def test_every_batch_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_statistics, "STATISTICS_BATCH", 40)
    for adapt, total in ((adabn, 12), (tent, 2)):
        told: list[tuple[int, int]] = []
        curve = adapt(randomised(normed()), noise(480), 0, lambda *step, told=told: told.append(step)).curve
        assert told == [(step, total) for step in range(1, total + 1)]
        lengths = {name: len(values) for name, values in curve.items()}
        assert lengths == {"entropy": 2, "confident": 2} | ({"loss": 2} if adapt is tent else {})


@pytest.mark.parametrize("adapt", [adabn, tent])
def test_a_network_without_batch_norm_is_refused(adapt: Any) -> None:
    inputs = keras.Input(IMAGE_SHAPE)
    plain = keras.Model(inputs, classifier(layers.Flatten()(inputs)))
    with pytest.raises(UsageError, match="it has no batch normalization"):
        adapt(plain, noise(5))


def test_tent_refuses_batch_norm_without_scales_and_offsets() -> None:
    inputs = keras.Input(IMAGE_SHAPE)
    x = layers.BatchNormalization(scale=False, center=False)(layers.Flatten()(inputs))
    model = keras.Model(inputs, classifier(x))
    with pytest.raises(UsageError, match="its batch normalization has no scales and offsets"):
        tent(model, noise(5))
    adabn(model, noise(5))
