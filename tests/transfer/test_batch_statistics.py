"""AdaBN and Tent agree with a NumPy implementation of a network with batch norm."""

import keras
import numpy as np
import pytest
import small_networks as small
from keras import layers

from experiments.errors import UsageError
from experiments.models import IMAGE_SHAPE
from experiments.models.layers import classifier
from experiments.transfer.adaptation import batch_statistics
from experiments.transfer.adaptation.adabn import adabn
from experiments.transfer.adaptation.descent import shuffled
from experiments.transfer.adaptation.tent import tent


def assert_statistics(model: keras.Model, weights: small.Arrays, images: small.ImageArray, seed: int) -> None:
    """Assert that the statistics are means over batches of those that NumPy computes with the weights."""
    batches = shuffled(len(images), batch_statistics.STATISTICS_BATCH, np.random.default_rng(seed))
    by_layer = zip(*(small.by_batch(weights, images[batch])[0] for batch in batches), strict=True)
    found = model.get_weights()
    for place, each in zip(small.STATISTICS, by_layer, strict=True):
        np.testing.assert_allclose(found[place], np.mean(each, axis=0), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("n", "batches"), [(2, 1), (141, 4)])
def test_adabn_finds_the_statistics_of_the_target(n: int, batches: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_statistics, "STATISTICS_BATCH", 40)
    model, images, steps = small.randomised(small.normed()), small.noise(n), list[tuple[int, int]]()
    adapted = adabn(model, images, 3, lambda *step: steps.append(step)).model
    assert_statistics(adapted, small.weights_of(model), images, seed=3)
    for i, (before, after) in enumerate(zip(model.get_weights(), adapted.get_weights(), strict=True)):
        assert (before == after).all() == (i not in small.STATISTICS)
    assert steps == [(step, batches) for step in range(1, batches + 1)]


def test_tent_goes_down_the_entropy_over_scales_and_offsets_and_takes_the_statistics_under_these() -> None:
    model, images = small.randomised(small.normed()), small.noise(150)
    weights, h = small.weights_of(model), 1e-5

    def entropy(place: int, i: int, change: float) -> float:
        changed = [weight.copy() for weight in weights]
        changed[place][i] += change
        return float(small.entropies(small.by_batch(changed, images)[1]).mean())

    adapted = tent(model, images, seed=2)
    found, steep = small.weights_of(adapted.model), 0
    for place in small.SCALES_AND_OFFSETS:
        for i in range(len(weights[place])):
            slope = (entropy(place, i, h) - entropy(place, i, -h)) / (2 * h)
            if abs(slope) > 1e-4:  # Adam's first step is the rate, whatever the slope
                assert found[place][i] - weights[place][i] == pytest.approx(-1e-3 * np.sign(slope), rel=0.01)
                steep += 1
    assert steep > 20
    changed = [(one != other).any() for one, other in zip(weights, found, strict=True)]
    assert np.flatnonzero(changed).tolist() == sorted(small.SCALES_AND_OFFSETS + small.STATISTICS)
    assert_statistics(adapted.model, found, images, seed=2)
    assert list(adapted.curve["loss"]) == [pytest.approx(entropy(2, 0, 0), rel=1e-4)]


def test_tent_takes_a_step_for_every_200_images() -> None:
    steps: list[tuple[int, int]] = []
    curve = tent(small.randomised(small.normed()), small.noise(480), 0, lambda *step: steps.append(step)).curve
    assert steps == [(1, 2), (2, 2)]
    assert {name: len(values) for name, values in curve.items()} == {"entropy": 2, "confident": 2, "loss": 2}


def test_tent_needs_batch_norm_with_scales_and_offsets() -> None:
    inputs = keras.Input(IMAGE_SHAPE)
    x = layers.BatchNormalization(scale=False, center=False)(layers.Flatten()(inputs))
    model = keras.Model(inputs, classifier(x))
    with pytest.raises(UsageError, match="scales and offsets"):
        tent(model, small.noise(5))
    adabn(model, small.noise(5))
