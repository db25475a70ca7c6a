"""What every other part sees of a data set: two splits of 28x28 digits, white ink on black."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDE = 28
CLASSES = 10

UNCHANGED = "none"


@dataclass(frozen=True, eq=False)
class RawSplit:
    """Digits as published, before they are brought to 28x28.

    Attributes
    ----------
    images
        ``uint8 (n, height, width)``, white ink on black, 0 to 255.
    labels
        ``int64 (n,)``, 0 to 9.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Split:
    """Digits and their labels, in the order of their source. The arrays may be read-only.

    Attributes
    ----------
    images
        ``uint8 (n, 28, 28)``, white ink on black, 0 to 255, C-contiguous.
    labels
        ``int64 (n,)``, 0 to 9.

    Raises
    ------
    ValueError
        When an array has another shape or type.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __post_init__(self) -> None:
        _require(self.images, np.uint8, (len(self.images), SIDE, SIDE))
        _require(self.labels, np.int64, (len(self.images),))
        if not self.images.flags.c_contiguous:
            raise ValueError("the images of a split must be C-contiguous")

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Sequence[int] | NDArray[np.integer | np.bool_]) -> "Split":
        """Return a copy of the digits at `indices`, in that order; a boolean mask of length n works too."""
        chosen = np.asarray(indices)
        if chosen.size == 0:
            chosen = chosen.astype(np.intp)
        return Split(self.images[chosen], self.labels[chosen])

    def as_float(self) -> NDArray[np.float32]:
        """Return the images as a network takes them: ``float32 (n, 28, 28, 1)`` in [0, 1]."""
        return np.divide(self.images[..., np.newaxis], np.float32(255), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A training and a test split. The test split is for the final measure, never for choosing anything.

    Attributes
    ----------
    name
        ``mnist``, ``usps``, ``uci``, or for the user's own digits their folder's name in ``[a-z0-9-]``.
    transform
        What was done to the published images: ``none``; ``mnist-procedure`` (`fit_to_mnist`) or another of
        `ALIGNMENTS` by its name; ``transpose`` (EMNIST's axes put right); ``smoothed`` (blurred by the publisher:
        USPS from LIBSVM); ``corrupted`` (the test digits, under the corruptions of MNIST-C); ``deskew`` (`deskew`);
        joined by ``+`` in the order of application, see `joined`.
    source
        Where the digits were read from: a folder, or ``scikit-learn``.
    """

    name: str
    train: Split
    test: Split
    transform: str
    source: str

    @cached_property
    def digest(self) -> str:
        """32 hexadecimal digits of the SHA-256 over shapes, images and labels of both splits.

        Equal digests mean equal digits in equal order, wherever they were read from.
        """
        sha256 = hashlib.sha256()
        for split in (self.train, self.test):
            sha256.update(str(split.images.shape).encode())
            sha256.update(split.images.data)
            sha256.update(np.ascontiguousarray(split.labels, "<i8").data)
        return sha256.hexdigest()[:32]


def joined(*transforms: str) -> str:
    """Return the name of several transforms, one after the other; `UNCHANGED` where none of them does anything."""
    return "+".join(transform for transform in transforms if transform != UNCHANGED) or UNCHANGED


def _require(array: NDArray[Any], dtype: type[np.generic], shape: tuple[int, ...]) -> None:
    if array.dtype != dtype or array.shape != shape:
        expected = f"{np.dtype(dtype)} {shape}"
        raise ValueError(f"a split needs {expected}. Received: {array.dtype} {array.shape}")
