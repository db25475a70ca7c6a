from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.datasets.dataset import Dataset, Split


def split_of(n: int, seed: int = 0) -> Split:
    rng = np.random.default_rng(seed)
    return Split(rng.integers(0, 256, (n, 28, 28), dtype=np.uint8), rng.integers(0, 10, n))


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (np.zeros((2, 28, 28), np.float32), np.zeros(2, np.int64)),
        (np.zeros((2, 28, 28, 1), np.uint8), np.zeros(2, np.int64)),
        (np.zeros((2, 16, 16), np.uint8), np.zeros(2, np.int64)),
        (np.zeros((2, 28, 28), np.uint8), np.zeros(3, np.int64)),
        (np.zeros((2, 28, 28), np.uint8), np.zeros(2, np.uint8)),
        (np.zeros((2, 28, 28), np.uint8).transpose(0, 2, 1), np.zeros(2, np.int64)),
    ],
    ids=["float images", "channel axis", "16x16", "lengths differ", "byte labels", "transposed view"],
)
def test_split_refuses_other_arrays(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
    with pytest.raises(ValueError, match="split"):
        Split(images, labels)


def test_as_float_is_what_networks_take() -> None:
    split = split_of(5)
    floats = split.as_float()
    assert floats.dtype == np.float32
    assert floats.shape == (5, 28, 28, 1)
    np.testing.assert_array_equal(floats[..., 0], split.images.astype(np.float32) / 255)


@pytest.mark.parametrize("indices", [[3, 1], np.array([3, 1]), [], [0, 0, 0]])
def test_take_keeps_the_order_asked_for(indices: list[int]) -> None:
    split = split_of(5)
    taken = split.take(indices)
    assert len(taken) == len(indices)
    for place, index in enumerate(indices):
        np.testing.assert_array_equal(taken.images[place], split.images[index])
        assert taken.labels[place] == split.labels[index]


def test_take_accepts_a_mask() -> None:
    split = split_of(5)
    mask = np.array([False, True, False, False, True])
    np.testing.assert_array_equal(split.take(mask).labels, split.labels[[1, 4]])


def changed_pixel(dataset: Dataset) -> Dataset:
    images = dataset.test.images.copy()
    images[-1, 27, 27] ^= 1
    return replace(dataset, test=Split(images, dataset.test.labels))


def changed_label(dataset: Dataset) -> Dataset:
    labels = dataset.train.labels.copy()
    labels[0] = (labels[0] + 1) % 10
    return replace(dataset, train=Split(dataset.train.images, labels))


def moved_border(dataset: Dataset) -> Dataset:
    images = np.concatenate([dataset.train.images, dataset.test.images])
    labels = np.concatenate([dataset.train.labels, dataset.test.labels])
    return replace(dataset, train=Split(images[:3], labels[:3]), test=Split(images[3:], labels[3:]))


@pytest.mark.parametrize("change", [changed_pixel, changed_label, moved_border])
def test_digest_tells_contents_apart(change: Callable[[Dataset], Dataset]) -> None:
    dataset = Dataset("a", split_of(4), split_of(3, seed=1), "none", "here")
    assert change(dataset).digest != dataset.digest


def test_digest_is_of_the_content_alone() -> None:
    dataset = Dataset("a", split_of(4), split_of(3, seed=1), "none", "here")
    elsewhere = Dataset("b", split_of(4), split_of(3, seed=1), "transpose", "there")
    assert dataset.digest == elsewhere.digest
    assert len(dataset.digest) == 32
    assert int(dataset.digest, 16) >= 0
