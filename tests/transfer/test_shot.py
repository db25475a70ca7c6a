"""SHOT agrees with the formulas of its paper, in NumPy and slowly."""

import sys
from typing import Any

import keras
import numpy as np
import pytest
import small_networks as small
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers
from numpy.typing import NDArray
from scipy.optimize import approx_fprime
from scipy.spatial.distance import cosine

from experiments.errors import UsageError
from experiments.models import IMAGE_SHAPE
from experiments.models.layers import classifier
from experiments.transfer.adaptation.shot import pseudo_labels, shot

MODULE = sys.modules["experiments.transfer.adaptation.shot"]


def slow_labels(features: NDArray[Any], probabilities: NDArray[Any]) -> NDArray[np.int64]:
    """Return pseudo-labels by equations 4 and 5 of the paper, image by image and class by class."""
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


@settings(max_examples=40)
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


def test_a_class_of_the_least_probability_still_has_a_centroid() -> None:
    features = np.array([[5, 0], [4, 1], [0, 5]], np.float32)
    probabilities = np.array([[1, 0], [1, 0], [1, 1e-30]], np.float32)
    np.testing.assert_array_equal(pseudo_labels(features, probabilities), [0, 0, 1])


def test_the_first_step_is_the_paper_s() -> None:
    model, images = small.randomised(small.dense(3, "tanh"), size=3), small.noise(30)
    first, bias, last, last_bias = small.weights_of(model)
    pixels, size = images.reshape(30, -1) / 255, first.size

    def forward(flat: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        features = np.tanh(pixels @ flat[:size].reshape(first.shape) + flat[size:])
        return features, small.softmax(features @ last + last_bias)

    start = np.append(first.ravel(), bias)
    labels = slow_labels(*forward(start))

    def objective(flat: NDArray[np.float64]) -> float:
        said = forward(flat)[1]
        told = -np.log(said[np.arange(30), labels] + 1e-7).mean()
        return float(small.entropies(said).mean() - small.entropies(said.mean(axis=0)) + 0.1 * told)

    decay = 1e-3 * start  # as PyTorch's optimizers add it to the gradient
    slope = approx_fprime(start, objective, 1e-6)
    rate = 0.01 * (1 + 10 * 1) ** -0.75  # at the only step of all
    found = shot(model, images, epochs=1)
    after = small.weights_of(found.model)
    step = np.append(after[0].ravel(), after[1]) - start
    expected = -rate * 1.9 * (slope + decay)
    np.testing.assert_allclose(step, expected, atol=2e-7 + 1e-3 * np.abs(expected).max())
    assert np.abs(step - (-rate * 1.9 * slope)).max() > 1e-6  # without the decay
    assert list(found.curve["loss"]) == [pytest.approx(objective(start), abs=1e-5)]
    assert list(found.curve["changed_labels"]) == [pytest.approx((labels != forward(start)[1].argmax(axis=1)).mean())]


def test_the_rate_falls_with_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    optimizers: list[Any] = []

    class Descent(MODULE.Descent):  # type: ignore[name-defined, misc]
        def __init__(self, weights: Any, optimizer: Any, *rest: Any) -> None:
            optimizers.append(optimizer)
            super().__init__(weights, optimizer, *rest)

    monkeypatch.setattr(MODULE, "Descent", Descent)
    shot(small.randomised(small.dense()), small.noise(190), epochs=2)
    (optimizer,) = optimizers
    assert int(optimizer.iterations) == 6
    for step in range(6):
        optimizer.iterations.assign(step)
        assert float(optimizer.learning_rate) == pytest.approx(0.01 * (1 + 10 * (step + 1) / 6) ** -0.75)


def test_the_classifier_is_kept_and_all_else_is_trained() -> None:
    model = small.randomised(small.normed(), size=3)
    adapted = shot(model, small.noise(70), epochs=2).model
    for i, (before, after) in enumerate(zip(model.get_weights(), adapted.get_weights(), strict=True)):
        assert (before == after).all() == (i in small.CLASSIFIER)


def test_batch_norm_has_the_momentum_of_pytorch() -> None:
    quiet = small.RECIPE.override({"dropout": 0.0})
    model, images = small.randomised(small.normed(quiet)), small.noise(40)
    before, after = small.weights_of(model), small.weights_of(shot(model, images, epochs=1).model)
    for place, seen in zip(small.STATISTICS, small.by_batch(before, images)[0], strict=True):
        np.testing.assert_allclose(after[place], 0.9 * before[place] + 0.1 * seen, rtol=1e-4, atol=1e-4)


def test_the_share_of_changed_labels_is_that_since_the_last_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "RATE", 0.0)
    curve = shot(small.randomised(small.dense()), small.noise(20), epochs=3).curve
    assert curve["changed_labels"][0] > 0  # against the predictions
    assert curve["changed_labels"][1:] == (0.0, 0.0)
    lengths = {"loss": 3, "diversity": 3, "pseudo_label_loss": 3, "changed_labels": 3, "entropy": 4, "confident": 4}
    assert {name: len(values) for name, values in curve.items()} == lengths


def test_a_network_needs_weights_before_a_classifier_of_flat_features() -> None:
    inputs = keras.Input(IMAGE_SHAPE)
    single = classifier(layers.Flatten()(inputs))
    pooled = layers.Softmax()(layers.GlobalAveragePooling2D()(layers.Conv2D(10, 5)(layers.Conv2D(2, 5)(inputs))))
    for outputs, reason in ((single, "before its classifier"), (pooled, "flat features")):
        with pytest.raises(UsageError, match=reason):
            shot(keras.Model(inputs, outputs), small.noise(5))
