"""A map's quality is scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.manifold import trustworthiness
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from experiments.analysis.embedding import embed, embedding_quality, knn_accuracy, neighbors_needed, perplexity_for
from experiments.analysis.neighbors import nearest
from experiments.analysis.tsne import SCHEDULE, TsneSchedule


def blobs(n: int, dimensions: int = 8, apart: float = 8.0) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return points around three centers, and their labels."""
    generator = np.random.default_rng(0)
    labels = np.arange(n) % 3
    centers = apart * np.eye(3, dimensions)
    return (centers[labels] + generator.normal(size=(n, dimensions))).astype(np.float32), labels


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_map_of_blobs_can_be_trusted(dimensions: int) -> None:
    points, labels = blobs(240)
    neighbors = nearest(points, neighbors_needed(len(points)))
    reported: list[tuple[int, int]] = []
    found = embed(points, neighbors, dimensions, on_step=lambda *step: reported.append(step))
    assert found.positions.shape == (240, dimensions)
    assert found.perplexity == 30
    total = SCHEDULE.exaggerated + SCHEDULE.steps
    assert reported == [(step, total) for step in range(1, total + 1)]
    measured = embedding_quality(points, neighbors, labels, found.positions)
    assert measured.knn_accuracy == 1
    assert measured.trustworthiness > 0.9


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("n", [3, 4, 5, 12])
def test_a_few_points_are_mapped_and_measured(n: int, dimensions: int) -> None:
    points, labels = blobs(n)
    neighbors = nearest(points, neighbors_needed(n))
    short = TsneSchedule(exaggerated=20, steps=20)
    measured = embedding_quality(points, neighbors, labels, embed(points, neighbors, dimensions, short).positions)
    assert all(0 <= value <= 1 for value in vars(measured).values())


def test_quality_is_scikit_learns() -> None:
    points, labels = blobs(150, apart=1.5)
    positions = points[:, :2].copy()
    measured = embedding_quality(points, nearest(points, 90), labels, positions)
    vote = KNeighborsClassifier(10)
    assert measured.knn_accuracy == pytest.approx(cross_val_score(vote, positions, labels, cv=LeaveOneOut()).mean())
    assert measured.knn_accuracy_before == pytest.approx(cross_val_score(vote, points, labels, cv=LeaveOneOut()).mean())
    assert measured.knn_accuracy < measured.knn_accuracy_before
    assert measured.trustworthiness == pytest.approx(trustworthiness(points, positions, n_neighbors=12))


def test_of_tied_classes_the_smaller_is_named() -> None:
    line = np.array([[0], [1], [2.5]], np.float32)
    assert knn_accuracy(nearest(line, 2), np.array([4, 4, 2])) == 0
    assert knn_accuracy(nearest(line, 2), np.array([4, 4, 7])) == pytest.approx(2 / 3)


def test_one_class_is_named_everywhere() -> None:
    points, _ = blobs(20)
    assert knn_accuracy(nearest(points, 5), np.full(20, 7)) == 1


@given(st.integers(2, 100_000))
def test_perplexity_and_neighbours_fit_the_number_of_points(n: int) -> None:
    perplexity, needed = perplexity_for(n), neighbors_needed(n)
    assert 1 <= perplexity <= 30
    assert perplexity <= needed < n
    assert needed == n - 1 or needed >= 10
    assert (perplexity, needed) == (30, 90) or n <= 90
