"""The layer agrees with the formula of the paper and with TensorFlow's operation."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from experiments.models.layers import LocalResponseNormalization


def formula(x: NDArray[Any], depth: int, bias: float, alpha: float) -> NDArray[np.float64]:
    """Section 3.3 of Krizhevsky, Sutskever & Hinton 2012, channel by channel."""
    x = x.astype(np.float64)
    channels = x.shape[-1]
    normalised = np.empty_like(x)
    for i in range(channels):
        neighbours = x[..., max(0, i - depth // 2) : min(channels, i + depth // 2 + 1)]
        normalised[..., i] = x[..., i] / (bias + alpha * np.sum(neighbours**2, axis=-1)) ** 0.75
    return normalised


@settings(max_examples=40)
@given(
    shape=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    depth=st.sampled_from([1, 3, 5, 7, 21]),
    bias=st.floats(0.5, 4),
    alpha=st.floats(1e-4, 2),
    seed=st.integers(0, 99),
)
def test_it_is_the_formula_of_the_paper(shape: list[int], depth: int, bias: float, alpha: float, seed: int) -> None:
    x = np.random.default_rng(seed).normal(scale=3, size=(2, *shape)).astype(np.float32)
    layer = LocalResponseNormalization(depth, bias, alpha)
    np.testing.assert_allclose(layer(x), formula(x, depth, bias, alpha), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("depth", "alpha"), [(5, 0.5), (9, 0.1)])
def test_it_and_its_gradient_are_tensorflow_s(depth: int, alpha: float) -> None:
    x = tf.constant(np.random.default_rng(0).normal(scale=5, size=(2, 4, 5, 12)).astype(np.float32))
    layer = LocalResponseNormalization(depth, 2.0, alpha)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        ours = layer(x)
        theirs = tf.nn.local_response_normalization(x, depth // 2, bias=2.0, alpha=alpha, beta=0.75)
        our_sum, their_sum = tf.reduce_sum(tf.sin(ours)), tf.reduce_sum(tf.sin(theirs))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(tape.gradient(our_sum, x), tape.gradient(their_sum, x), rtol=1e-4, atol=1e-6)


def test_bfloat16_stays_within_its_rounding() -> None:
    x = np.random.default_rng(0).normal(scale=3, size=(4, 6, 6, 32)).astype(np.float32)
    rounded = tf.cast(x, tf.bfloat16)
    normalised = LocalResponseNormalization(alpha=0.5, dtype="bfloat16")(rounded)
    assert normalised.dtype == tf.bfloat16
    expected = formula(tf.cast(rounded, tf.float32).numpy(), depth=5, bias=2, alpha=0.5)
    # Eight roundings of at most 2**-8 each.
    np.testing.assert_allclose(tf.cast(normalised, tf.float32), expected, rtol=8 * 2**-8)


def test_its_configuration_makes_the_same_layer_again() -> None:
    layer = LocalResponseNormalization(depth=3, bias=1.5, alpha=0.25, name="normalise")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert isinstance(again, LocalResponseNormalization)
    assert again.get_config() == layer.get_config()
    x = np.random.default_rng(0).normal(size=(2, 7)).astype(np.float32)
    np.testing.assert_array_equal(again(x), layer(x))


def test_the_defaults_are_the_constants_of_the_paper() -> None:
    x = np.random.default_rng(0).normal(scale=50, size=(2, 3, 3, 96)).astype(np.float32)
    expected = formula(x, depth=5, bias=2, alpha=1e-4)
    np.testing.assert_allclose(LocalResponseNormalization()(x), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("depth", [0, -1, 2, 4])
def test_a_neighbourhood_without_a_middle_is_refused(depth: int) -> None:
    with pytest.raises(ValueError, match=f"depth={depth}"):
        LocalResponseNormalization(depth)
