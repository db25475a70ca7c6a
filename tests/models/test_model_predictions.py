"""What networks predict, and how fast."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import softmax

from experiments.datasets import Split
from experiments.models import MODELS
from experiments.models.prediction import BATCH, predict
from experiments.models.speed import BUDGET, MAX_BATCHES, MAX_REPEATS, MIN_REPEATS, WARM_UP, predict_and_time


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


@pytest.mark.parametrize("n", [0, 1, BATCH, BATCH + 1, 2 * BATCH + 500])
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


class Clockwork:
    """Stands for a network: it and the clock go by what each of its calls is said to take."""

    def __init__(self, seconds: Callable[[int, int], float]) -> None:
        self.now, self.calls, self._seconds = 0.0, list[int](), seconds

    def predict_on_batch(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        self.now += self._seconds(self.calls.count(len(images)), len(images))
        self.calls.append(len(images))
        return np.full((len(images), 10), 0.1, np.float32)


Make = Callable[[Callable[[int, int], float]], Clockwork]


@pytest.fixture
def clockwork(monkeypatch: pytest.MonkeyPatch) -> Make:
    """Return what makes a network of the seconds by how many calls with so many images there were before."""

    def make(seconds: Callable[[int, int], float]) -> Clockwork:
        network = Clockwork(seconds)
        monkeypatch.setattr("experiments.models.prediction.time.perf_counter", lambda: network.now)
        return network

    return make


def test_what_is_said_is_the_median_without_the_first_calls(clockwork: Make) -> None:
    def seconds(before: int, images: int) -> float:
        if images == 1:
            return 9.0 if before < WARM_UP else (0.002, 0.004, 0.003)[before % 3]
        return (30.0, 0.1, 0.5, 0.2)[min(before, 3)]

    probabilities, speed = predict_and_time(clockwork(seconds), digits(4 * BATCH))
    assert probabilities.shape == (4 * BATCH, 10)
    assert speed.latency_ms == pytest.approx(3)
    assert speed.images_per_second == pytest.approx(BATCH / 0.2)


def test_a_fast_network_is_measured_often(clockwork: Make) -> None:
    network = clockwork(lambda *_: 0.001)
    predict_and_time(network, digits(359))
    assert (network.calls.count(359), network.calls.count(1)) == (1 + MAX_BATCHES, WARM_UP + MAX_REPEATS)


def test_a_slow_network_takes_little_more_than_its_prediction(clockwork: Make) -> None:
    network = clockwork(lambda _, images: 0.5 * BUDGET if images == 1 else 20.0)
    predict_and_time(network, digits(10 * BATCH))
    assert (network.calls.count(BATCH), network.calls.count(1)) == (10, WARM_UP + MIN_REPEATS)
    alone = clockwork(lambda _, images: 20.0 if images > 1 else 0.01)
    predict_and_time(alone, digits(359))
    assert alone.calls.count(359) == 2  # the first of them does not count


@pytest.mark.parametrize("n", [1, 2])
def test_one_image_is_enough(clockwork: Make, n: int) -> None:
    _, speed = predict_and_time(clockwork(lambda *_: 0.01), digits(n))
    assert speed.latency_ms == pytest.approx(10)
    assert speed.images_per_second == pytest.approx(100 * n)
    with pytest.raises(ValueError, match="no images"):
        predict_and_time(clockwork(lambda *_: 0.01), digits(0))
