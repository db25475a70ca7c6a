"""Mistakes come in the order promised, and the table holds what was given."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from experiments.evaluation import misclassified, predictions_table


def confident(predicted: list[int], values: list[float]) -> NDArray[np.float64]:
    probabilities = np.repeat((1 - np.array(values))[:, None] / 9, 10, axis=1)
    probabilities[np.arange(len(predicted)), predicted] = values
    return probabilities


def test_confident_mistakes_come_first_and_ties_by_index() -> None:
    probabilities = confident([7, 7, 7, 7, 7], [0.5, 0.9, 0.99, 0.9, 0.6])
    assert misclassified(np.array([1, 2, 7, 3, 4]), probabilities).tolist() == [1, 3, 4, 0]


def test_no_mistakes_are_an_empty_array_of_indices() -> None:
    result = misclassified(np.arange(10), np.eye(10))
    assert result.shape == (0,)
    assert result.dtype == np.int64


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 50))
def test_exactly_the_mistakes_are_listed(seed: int, n: int) -> None:
    generator = np.random.default_rng(seed)
    labels, probabilities = generator.integers(0, 10, n), generator.dirichlet(np.ones(10), n)
    order = misclassified(labels, probabilities)
    assert set(order.tolist()) == {i for i in range(n) if np.argmax(probabilities[i]) != labels[i]}
    assert len(set(order.tolist())) == len(order)
    assert (np.diff(probabilities.max(axis=1)[order]) <= 0).all()


def test_table_has_a_row_for_each_image() -> None:
    probabilities = confident([3, 8], [0.75, 0.5])
    right, wrong = predictions_table(np.array([3, 1]), probabilities)
    assert list(right) == [
        "index",
        "label",
        "predicted",
        "correct",
        "confidence",
        *(f"p{i}" for i in range(10)),
    ]
    assert (right["index"], right["label"], right["predicted"], right["correct"]) == (0, 3, 3, True)
    assert (wrong["index"], wrong["label"], wrong["predicted"], wrong["correct"]) == (1, 1, 8, False)
    assert [right["confidence"], wrong["confidence"]] == [0.75, 0.5]
    assert [wrong[f"p{i}"] for i in range(10)] == pytest.approx(probabilities[1])
    assert {type(value) for value in right.values()} == {int, bool, float}
