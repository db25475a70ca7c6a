"""Calibration agrees with scikit-learn's curve and with sums done by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.calibration import calibration_curve

from experiments.evaluation import calibration


def confident(values: list[float], predicted: int = 0) -> NDArray[np.float64]:
    """Return rows that predict one digit with the given probabilities, each above 0.1."""
    probabilities = np.repeat((1 - np.array(values))[:, None] / 9, 10, axis=1)
    probabilities[:, predicted] = values
    return probabilities


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 80))
def test_filled_bins_are_scikit_learns_curve(seed: int, n: int) -> None:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 10, n)
    probabilities = generator.dirichlet(np.full(10, 0.2), n)
    ours = calibration(labels, probabilities)
    correct = probabilities.argmax(axis=1) == labels
    accuracy, confidence = calibration_curve(correct, probabilities.max(axis=1), n_bins=15, pos_label=True)
    filled = ours.counts > 0
    np.testing.assert_allclose(ours.accuracy[filled], accuracy)
    np.testing.assert_allclose(ours.confidence[filled], confidence)
    gaps = np.abs(accuracy - confidence)
    assert ours.ece == pytest.approx(np.sum(gaps * ours.counts[filled]) / n)
    assert ours.mce == pytest.approx(gaps.max())
    assert ours.counts.sum() == n
    assert np.isnan(ours.accuracy[~filled]).all()
    assert np.isnan(ours.confidence[~filled]).all()


def test_errors_by_hand() -> None:
    ours = calibration(np.array([0, 1, 0, 0]), confident([0.62, 0.62, 0.95, 0.95]))
    assert ours.counts.tolist() == [0] * 9 + [2, 0, 0, 0, 0, 2]
    assert ours.accuracy[[9, 14]].tolist() == [0.5, 1]
    assert ours.ece == pytest.approx((0.12 + 0.05) / 2)
    assert ours.mce == pytest.approx(0.12)
    np.testing.assert_allclose(ours.edges, np.arange(16) / 15)


def test_a_bin_includes_its_upper_bound() -> None:
    edge = float(np.linspace(0, 1, 16)[9])
    counts = calibration(np.array([0, 0, 0]), confident([edge, edge + 1e-6, 1.0])).counts
    assert counts.tolist() == [0] * 8 + [1, 1, 0, 0, 0, 0, 1]


def test_certain_and_right_is_perfectly_calibrated() -> None:
    ours = calibration(np.arange(10), np.eye(10))
    assert (ours.ece, ours.mce) == (0, 0)
    assert len(ours.counts) == 15
