"""Networks in ONNX beside the same networks in Keras."""

from typing import Literal

import keras
import numpy as np
import onnxruntime
import pytest
from keras import layers
from numpy.typing import NDArray

from experiments.errors import DigitsError
from experiments.models import IMAGE_SHAPE, MODELS
from experiments.models.onnx_export import to_onnx
from experiments.training.precision import precision_policy


def randomized(model: keras.Model, seed: int = 0) -> keras.Model:
    """Give every weight a value that training could leave, so that no default hides an error."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        layer.set_weights([weight * rng.uniform(0.5, 1.5, weight.shape) + rng.uniform(0, 0.1, weight.shape)
                           for weight in layer.get_weights()])  # fmt: skip
    return model


def in_float32(model: keras.Model, name: str) -> keras.Model:
    same = MODELS[name].build(MODELS[name].recipe)
    same.set_weights(model.get_weights())
    return keras.Model(same.inputs, [same.get_layer("logits").output, same.get_layer("penultimate").output])


def run(content: bytes, images: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    logits, features = session.run(["logits", "features"], {"image": images})
    return [logits, features]


# The largest take long: one precision of each.
LARGE = {"alexnet": "bfloat16", "alexnet227": "float32"}


@pytest.mark.parametrize(
    ("name", "precision"),
    [
        pytest.param(name, precision, marks=pytest.mark.slow if name in LARGE else ())
        for name in MODELS
        for precision in ("float32", "bfloat16")
        if LARGE.get(name, precision) == precision
    ],
)
def test_a_network_computes_the_same_in_onnx(name: str, precision: Literal["float32", "bfloat16"]) -> None:
    with precision_policy(precision):
        model = randomized(MODELS[name].build(MODELS[name].recipe))
    content = to_onnx(model)
    for count in (1, 3):
        images = np.random.default_rng(count).random((count, *IMAGE_SHAPE), np.float32)
        expected = in_float32(model, name).predict_on_batch({"image": images})
        for found, known in zip(run(content, images), expected, strict=True):
            assert found.dtype == np.float32
            np.testing.assert_allclose(found, known, rtol=1e-4, atol=1e-4 * np.abs(known).max())


def test_a_layer_without_a_conversion_is_named() -> None:
    inputs = keras.Input(IMAGE_SHAPE, name="image")
    x = layers.GaussianNoise(0.1, name="noise")(inputs)
    x = layers.Dense(4, name="penultimate")(layers.Flatten()(x))
    with pytest.raises(DigitsError, match="noise is a GaussianNoise"):
        to_onnx(keras.Model(inputs, layers.Dense(10, name="logits")(x)))
