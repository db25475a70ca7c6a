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
@given(st.integers(0, 2**32), st.integers(1, 80), st.integers(1, 30))
def test_filled_bins_are_scikit_learns_curve(seed: int, n: int, bins: int) -> None:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 10, n)
    probabilities = generator.dirichlet(np.full(10, 0.2), n)
    ours = calibration(labels, probabilities, bins)
    correct = probabilities.argmax(axis=1) == labels
    accuracy, confidence = calibration_curve(correct, probabilities.max(axis=1), n_bins=bins, pos_label=True)
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
    ours = calibration(np.array([0, 1, 0, 0]), confident([0.6, 0.6, 0.95, 0.95]), bins=10)
    assert ours.counts.tolist() == [0, 0, 0, 0, 0, 2, 0, 0, 0, 2]
    assert ours.accuracy[[5, 9]].tolist() == [0.5, 1]
    assert ours.ece == pytest.approx((0.1 + 0.05) / 2)
    assert ours.mce == pytest.approx(0.1)
    np.testing.assert_allclose(ours.edges, np.arange(11) / 10)


def test_a_bin_includes_its_upper_bound() -> None:
    assert calibration(np.array([0, 0, 0]), confident([0.5, 0.500001, 1.0]), bins=2).counts.tolist() == [1, 2]


def test_certain_and_right_is_perfectly_calibrated() -> None:
    ours = calibration(np.arange(10), np.eye(10))
    assert (ours.ece, ours.mce) == (0, 0)
    assert len(ours.counts) == 15


def test_no_bins_are_refused() -> None:
    with pytest.raises(ValueError, match="received 0"):
        calibration(np.array([0]), confident([0.9]), bins=0)
