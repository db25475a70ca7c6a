"""Near duplicates are found, most similar first."""

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.analysis.duplicates import near_duplicates


def images(n: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (n, 28, 28), dtype=np.uint8)


def test_a_copy_is_found_with_its_twin() -> None:
    train, test = images(30), images(8, seed=1)
    test[5] = train[17]
    found = near_duplicates(train, np.arange(30) % 10, test, np.array([0, 1, 2, 3, 4, 7, 6, 7]))
    assert (found.test.tolist(), found.train.tolist()) == ([5], [17])
    assert found.distances.tolist() == [0]
    assert found.labels_differ.tolist() == [False]


def test_pairs_below_a_quarter_of_the_median_come_most_alike_first() -> None:
    train = np.zeros((1, 28, 28), np.uint8)
    # The distance of an even picture from a black one is its brightness.
    brightness = np.array([100, 24, 200, 3, 120, 26, 100])
    test = np.broadcast_to(brightness[:, None, None].astype(np.uint8), (7, 28, 28))
    found = near_duplicates(train, np.array([5]), test, np.array([5, 4, 5, 5, 5, 5, 5]))
    assert found.median == pytest.approx(100 / 255)
    assert found.threshold == pytest.approx(25 / 255)
    assert found.test.tolist() == [3, 1]
    np.testing.assert_allclose(found.distances, [3 / 255, 24 / 255], rtol=1e-5)
    assert found.labels_differ.tolist() == [False, True]


def test_pairs_with_different_labels_are_marked() -> None:
    train, test = images(5), images(20, seed=1)
    test[[2, 9]] = train[[4, 0]]
    found = near_duplicates(train, np.array([1, 2, 3, 4, 5]), test, np.full(20, 1))
    assert dict(zip(found.test.tolist(), found.labels_differ.tolist(), strict=True)) == {2: True, 9: False}


def test_a_test_split_that_is_part_of_training_is_all_duplicates() -> None:
    train = images(20)
    found = near_duplicates(train, np.zeros(20, np.int64), train[5:15], np.ones(10, np.int64))
    assert sorted(zip(found.test.tolist(), found.train.tolist(), strict=True)) == [(i, i + 5) for i in range(10)]
    assert (found.threshold, found.median) == (0, 0)
    assert found.labels_differ.all()
