"""SHOT beside the formulas of its paper, in NumPy and slowly."""

import sys
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers
from numpy.typing import NDArray
from scipy.optimize import approx_fprime
from scipy.spatial.distance import cosine
from small_networks import (
    CLASSIFIER,
    RECIPE,
    STATISTICS,
    accuracy,
    by_batch,
    dense,
    entropies,
    faded,
    noise,
    normed,
    randomised,
    softmax,
    trained,
    uci,
    weights_of,
)

from experiments.errors import DigitsError, UsageError
from experiments.models import IMAGE_SHAPE
from experiments.models.layers import classifier
from experiments.transfer.adaptation.shot import pseudo_labels, shot
from experiments.transfer.predictions import predict_images

MODULE = sys.modules["experiments.transfer.adaptation.shot"]


def slow_labels(features: NDArray[Any], probabilities: NDArray[Any]) -> NDArray[np.int64]:
    """Return pseudo-labels by equations 4 and 5 of the paper, digit by digit and class by class."""
    points = [np.append(row, 1) / np.linalg.norm(np.append(row, 1)) for row in features.astype(np.float64)]

    def nearest(membership: NDArray[Any]) -> list[int]:
        centroids = {}
        for k in range(membership.shape[1]):
            total = sum(membership[i, k] for i in range(len(points)))
            if total > 0:
                centroids[k] = sum(membership[i, k] * points[i] for i in range(len(points))) / total
        return [min(centroids, key=lambda k: cosine(point, centroids[k])) for point in points]

    first = nearest(probabilities.astype(np.float64))
    return np.array(nearest(np.eye(probabilities.shape[1])[first]))


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(8, 40),
    width=st.integers(4, 8),
    seed=st.integers(0, 2**32 - 1),
    activation=st.sampled_from([np.tanh, lambda x: np.maximum(x, 0), lambda x: 30 * x]),
    never=st.sets(st.integers(0, 9), max_size=9),
)
def test_pseudo_labels_are_the_paper_s(n: int, width: int, seed: int, activation: Any, never: set[int]) -> None:
    rng = np.random.default_rng(seed)
    features = activation(rng.normal(size=(n, width))).astype(np.float32)
    probabilities = rng.dirichlet(np.full(10, 0.3), n).astype(np.float32) + np.float32(1e-6)
    probabilities[:, list(never)] = 0
    found = pseudo_labels(features, probabilities)
    assert found.dtype == np.int64
    assert not never & set(found.tolist())
    np.testing.assert_array_equal(found, slow_labels(features, probabilities))


def test_a_class_of_the_least_probability_is_one_still() -> None:
    features = np.array([[5, 0], [4, 1], [0, 5]], np.float32)
    probabilities = np.array([[1, 0], [1, 0], [1, 1e-30]], np.float32)
    np.testing.assert_array_equal(pseudo_labels(features, probabilities), [0, 0, 1])


def test_pseudo_labels_mend_predictions_by_their_neighbours() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 500)
    features = (10 * np.eye(10, 20)[labels] + rng.normal(size=(500, 20))).astype(np.float32)
    told = np.where(rng.random(500) < 0.3, rng.integers(0, 10, 500), labels)
    probabilities = np.full((500, 10), 0.01, np.float32) + np.float32(0.9) * np.eye(10, dtype=np.float32)[told]
    np.testing.assert_array_equal(pseudo_labels(features, probabilities), labels)


@pytest.mark.parametrize("activation", ["relu", "tanh", "linear"])
def test_the_first_step_is_the_paper_s(activation: str) -> None:
    model, images = randomised(dense(3, activation), size=3), noise(30)
    first, bias, last, last_bias = weights_of(model)
    pixels, sizes = images.reshape(30, -1) / 255, (first.size, len(bias))
    activations: dict[str, Any] = {"relu": lambda x: np.maximum(x, 0), "tanh": np.tanh, "linear": lambda x: x}

    def forward(flat: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        features = activations[activation](pixels @ flat[: sizes[0]].reshape(first.shape) + flat[sizes[0] :])
        return features, softmax(features @ last + last_bias)

    start = np.append(first.ravel(), bias)
    labels = slow_labels(*forward(start))

    def objective(flat: NDArray[np.float64]) -> float:
        said = forward(flat)[1]
        told = -np.log(said[np.arange(30), labels] + 1e-7).mean()
        return float(entropies(said).mean() - entropies(said.mean(axis=0)) + 0.1 * told)

    decay = 1e-3 * start  # as PyTorch's optimizers add it to the gradient
    slope = approx_fprime(start, objective, 1e-6)
    rate = 0.01 * (1 + 10 * 1) ** -0.75  # at the only step of all
    found = shot(model, images, epochs=1)
    after = weights_of(found.model)
    step = np.append(after[0].ravel(), after[1]) - start
    expected = -rate * 1.9 * (slope + decay)
    np.testing.assert_allclose(step, expected, atol=2e-7 + 1e-3 * np.abs(expected).max())
    assert np.abs(step - (-rate * 1.9 * slope)).max() > 1e-6  # without the decay
    assert list(found.curve["loss"]) == [pytest.approx(objective(start), abs=1e-5)]
    assert list(found.curve["changed_labels"]) == [pytest.approx((labels != forward(start)[1].argmax(axis=1)).mean())]


def test_the_rate_falls_with_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "MOMENTUM", 0.0)
    rates: list[float] = []

    class Descent(MODULE.Descent):  # type: ignore[name-defined, misc]
        def epoch(self, batches: Any) -> dict[str, float]:
            terms = {}
            for batch in batches:
                terms = super().epoch([batch])
                rates.append(float(self.optimizer.learning_rate))
            return terms

        def __init__(self, weights: Any, optimizer: Any, *rest: Any) -> None:
            self.optimizer = optimizer
            super().__init__(weights, optimizer, *rest)

    monkeypatch.setattr(MODULE, "Descent", Descent)
    shot(randomised(dense()), noise(190), epochs=2)
    np.testing.assert_allclose(rates, 0.01 * (1 + 10 * np.arange(2, 8) / 6) ** -0.75, rtol=1e-5)


def test_the_classifier_is_kept_bit_for_bit_and_all_else_is_trained() -> None:
    model = randomised(normed(), size=3)
    adapted = shot(model, noise(70), epochs=2).model
    for i, (before, after) in enumerate(zip(model.get_weights(), adapted.get_weights(), strict=True)):
        assert (before == after).all() == (i in CLASSIFIER)


def test_batch_norm_forgets_the_source_as_pytorch_s_does() -> None:
    quiet = RECIPE.override({"dropout": 0.0})
    model, images = randomised(normed(quiet)), noise(40)
    before, after = weights_of(model), weights_of(shot(model, images, epochs=1).model)
    for place, seen in zip(STATISTICS, by_batch(before, images)[0], strict=True):
        np.testing.assert_allclose(after[place], 0.9 * before[place] + 0.1 * seen, rtol=1e-4, atol=1e-4)


def test_it_grows_sure_and_recognises_grey_digits_again() -> None:
    model, digits = trained(), uci()
    images = faded(digits.images)
    found = shot(model, images, epochs=3)
    assert accuracy(model, images, digits.labels) < 0.7
    assert accuracy(found.model, images, digits.labels) > 0.9
    assert found.curve["entropy"][-1] < found.curve["entropy"][0]
    assert found.curve["changed_labels"][-1] < found.curve["changed_labels"][0]


def test_every_epoch_is_told() -> None:
    told: list[tuple[int, int]] = []
    curve = shot(randomised(dense()), noise(20), 0, lambda *step: told.append(step), epochs=3).curve
    assert told == [(1, 3), (2, 3), (3, 3)]
    lengths = {"loss": 3, "diversity": 3, "pseudo_label_loss": 3, "changed_labels": 3, "entropy": 4, "confident": 4}
    assert {name: len(values) for name, values in curve.items()} == lengths


def test_a_network_of_one_layer_is_refused() -> None:
    inputs = keras.Input(IMAGE_SHAPE)
    with pytest.raises(UsageError, match="it has no layer with weights before its classifier"):
        shot(keras.Model(inputs, classifier(layers.Flatten()(inputs))), noise(5))


def test_a_network_whose_classifier_is_a_convolution_is_refused() -> None:
    inputs = keras.Input(IMAGE_SHAPE)
    x = layers.Conv2D(10, 5)(layers.Conv2D(2, 5)(inputs))
    with pytest.raises(UsageError, match="its classifier does not take flat features"):
        shot(keras.Model(inputs, layers.Softmax()(layers.GlobalAveragePooling2D()(x))), noise(5))


def test_a_rate_beyond_reason_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "RATE", 1e30)
    with pytest.raises(DigitsError, match=r"the adaptation diverged: its .* is not finite; try another method"):
        shot(randomised(dense()), noise(200), epochs=3)


def test_unlabelled_digits_it_says_nothing_of_are_none_of_its_business() -> None:
    model, digits = trained(), uci()
    adapted = shot(model, digits.images[:200], epochs=1).model
    assert accuracy(adapted, digits.images[200:], digits.labels[200:]) > 0.9
    assert predict_images(adapted, digits.images[:3]).shape == (3, 10)
