"""The fitted temperature is the one that a network's confidence is off by."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax

from experiments.evaluation.calibration import MAX_TEMPERATURE, fit_temperature


def drawn(n: int, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return calibrated logits, and labels drawn from their probabilities."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (n, 10))
    return logits, (random.random((n, 1)) > softmax(logits, axis=1).cumsum(axis=1)).sum(axis=1).clip(max=9)


@pytest.mark.parametrize("temperature", [0.2, 0.7, 1.0, 2.5, 8.0])
def test_a_known_temperature_is_recovered(temperature: float) -> None:
    logits, labels = drawn(5000)
    assert fit_temperature((temperature * logits).astype(np.float32), labels) == pytest.approx(temperature, rel=0.06)


@pytest.mark.parametrize("seed", range(3))
def test_no_other_temperature_makes_the_labels_more_likely(seed: int) -> None:
    logits, labels = drawn(40, seed)

    def loss(temperature: float) -> float:
        return -float(log_softmax(logits / temperature, axis=1)[np.arange(40), labels].mean())

    assert loss(fit_temperature(logits, labels)) <= min(map(loss, np.geomspace(0.05, MAX_TEMPERATURE, 200))) + 1e-6


def test_it_stays_in_its_range_where_all_or_nothing_is_right() -> None:
    logits, right = 5 * np.eye(10), np.arange(10)
    assert 1 / MAX_TEMPERATURE <= fit_temperature(logits, right) < 0.2
    assert fit_temperature(logits, (right + 1) % 10) == pytest.approx(MAX_TEMPERATURE, rel=0.01)
