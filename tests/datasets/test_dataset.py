"""Splits hold images of 28x28 and their labels; a digest stands for the content of a dataset."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.datasets.dataset import Dataset, Images, Split, Unlabelled, joined


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
    if images.shape != (2, 28, 28) or images.dtype != np.uint8:
        with pytest.raises(ValueError, match="uint8"):
            Images(images)


def test_networks_take_the_gray_levels_from_0_to_1() -> None:
    split = split_of(5)
    floats = split.as_float()
    assert floats.dtype == np.float32
    assert floats.shape == (5, 28, 28, 1)
    np.testing.assert_array_equal(floats[..., 0], split.images.astype(np.float32) / 255)


@pytest.mark.parametrize(
    ("indices", "expected"),
    [
        ([3, 1], [3, 1]),
        (np.array([3, 1]), [3, 1]),
        ([], []),
        ([0, 0, 0], [0, 0, 0]),
        (np.array([False, True, False, False, True]), [1, 4]),
    ],
)
def test_digits_are_taken_in_the_order_asked_for(indices: Any, expected: list[int]) -> None:
    split = split_of(5)
    taken = split.take(indices)
    assert len(taken) == len(expected)
    np.testing.assert_array_equal(taken.images, Images(split.images).take(indices).images)
    for place, index in enumerate(expected):
        np.testing.assert_array_equal(taken.images[place], split.images[index])
        assert taken.labels[place] == split.labels[index]


def test_a_digest_is_of_the_content_alone() -> None:
    train, test = split_of(4), split_of(3, seed=1)
    pixels, labels = test.images.copy(), train.labels.copy()
    pixels[-1, 27, 27] ^= 1
    labels[0] = (labels[0] + 1) % 10
    whole = Split(np.concatenate([train.images, test.images]), np.concatenate([train.labels, test.labels]))
    parts = [
        (train, test),
        (train, Split(pixels, test.labels)),
        (Split(train.images, labels), test),
        (whole.take(range(3)), whole.take(range(3, 7))),
    ]
    digests = [Dataset("a", *both, "none", "here").digest for both in parts]
    digests += [Unlabelled("a", Images(train.images), part, "none", "here").digest for part in (test, Images(pixels))]
    assert len({*digests}) == len(digests)
    assert all(len(digest) == 32 and int(digest, 16) >= 0 for digest in digests)
    assert Dataset("b", split_of(4), split_of(3, seed=1), "transpose", "there").digest == digests[0]


def test_transforms_are_joined_in_their_order() -> None:
    assert joined() == joined("none", "none") == "none"
    assert joined("none", "deskew") == "deskew"
    assert joined("smoothed+frame", "none", "corrupted") == "smoothed+frame+corrupted"
