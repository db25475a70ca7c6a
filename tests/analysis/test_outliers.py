"""Outlier scores are those of their definition."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import median_abs_deviation

from experiments.analysis.neighbors import nearest
from experiments.analysis.outliers import outlier_scores


def cloud(n: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(n, 5)).astype(np.float32)


def test_what_lies_far_out_has_the_largest_score() -> None:
    points = cloud(100)
    points[37] += 50
    scores = outlier_scores(nearest(points, 20))
    assert scores.argmax() == 37
    assert scores[37] > 4 > np.delete(scores, 37).max()


def test_scores_are_robust_z_scores_of_the_log_distance() -> None:
    neighbors = nearest(cloud(80), 15)
    logs = np.log(neighbors.distances[:, 9].astype(np.float64))
    expected = (logs - np.median(logs)) / median_abs_deviation(logs, scale="normal")
    np.testing.assert_allclose(outlier_scores(neighbors), expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("scale", [0.01, 100])
def test_scores_do_not_depend_on_the_unit(scale: float) -> None:
    points = cloud(80)
    plain = outlier_scores(nearest(points, 10))
    np.testing.assert_allclose(outlier_scores(nearest(points * np.float32(scale), 10)), plain, atol=1e-3)


@pytest.mark.parametrize("n", [2, 5])
def test_of_a_few_points_the_farthest_neighbour_counts(n: int) -> None:
    scores = outlier_scores(nearest(cloud(n), n - 1))
    assert scores.shape == (n,)
    assert np.isfinite(scores).all()


def test_equal_points_are_no_outliers() -> None:
    assert outlier_scores(nearest(np.ones((20, 5), np.float32), 10)).tolist() == [0] * 20
