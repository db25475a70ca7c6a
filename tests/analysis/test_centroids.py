"""Class means are those of a loop over the classes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from experiments.analysis.centroids import centroids


def cloud(n: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(n, 5)).astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 10))
def test_centroids_are_those_of_loops(seed: int, n: int, classes: int) -> None:
    points, labels = cloud(n, seed) + np.float32(100), np.random.default_rng(seed).integers(0, classes, n)
    found = centroids(points, labels)
    members = {digit: points[labels == digit].astype(np.float64) for digit in sorted(set(labels.tolist()))}
    assert found.digits.tolist() == list(members)
    means = {digit: rows.mean(axis=0) for digit, rows in members.items()}
    expected = [[np.linalg.norm(means[a] - means[b]) for b in means] for a in means]
    np.testing.assert_allclose(found.distances, expected, atol=1e-9)
    spreads = [np.sqrt(np.mean([np.sum((row - means[digit]) ** 2) for row in rows])) for digit, rows in members.items()]
    np.testing.assert_allclose(found.spreads, spreads, atol=1e-6)
    pairs = {(a, b): np.linalg.norm(means[a] - means[b]) for a in means for b in means if a < b}
    assert {(a, b): distance for a, b, distance in found.closest} == pytest.approx(pairs)
    assert [distance for *_, distance in found.closest] == sorted(distance for *_, distance in found.closest)
