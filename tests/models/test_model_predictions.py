from typing import Any

import numpy as np
import pytest
from scipy.special import softmax

from experiments.datasets import Split
from experiments.models import MODELS
from experiments.models.prediction import BATCH, predict


@pytest.fixture(scope="module")
def model() -> Any:
    return MODELS["mlp_small"].build(MODELS["mlp_small"].recipe)


def digits(n: int) -> Split:
    generator = np.random.default_rng(n)
    return Split(generator.integers(0, 256, (n, 28, 28), dtype=np.uint8), generator.integers(0, 10, n))


def by_hand(model: Any, split: Split) -> Any:
    """Compute the perceptron in NumPy from its weights."""
    hidden, hidden_bias, output, output_bias = (weight.astype(np.float64) for weight in model.get_weights())
    pixels = split.images.reshape(len(split), 784) / 255
    return softmax(np.maximum(pixels @ hidden + hidden_bias, 0) @ output + output_bias, axis=1)


@pytest.mark.parametrize("n", [0, 1, BATCH - 1, BATCH, BATCH + 1, 2 * BATCH, 2 * BATCH + 500])
def test_every_image_is_predicted_in_its_place(model: Any, n: int) -> None:
    split = digits(n)
    probabilities = predict(model, split)
    assert probabilities.shape == (n, 10)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, by_hand(model, split), rtol=1e-4, atol=1e-6)


def test_no_more_than_a_batch_is_turned_into_floats_at_a_time(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    plain = Split.as_float

    def measured(split: Split) -> Any:
        sizes.append(len(split))
        return plain(split)

    monkeypatch.setattr(Split, "as_float", measured)
    heard: list[tuple[int, float]] = []
    predict(model, digits(2 * BATCH + 1), lambda images, seconds: heard.append((images, seconds)))
    assert sizes == [BATCH, BATCH, 1]
    assert [images for images, _ in heard] == sizes
    assert all(seconds > 0 for _, seconds in heard)
