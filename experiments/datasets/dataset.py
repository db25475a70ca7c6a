"""The form that all data takes: two splits of 28x28 digits, white ink on black."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.pictures.normalization import SIDE

CLASSES = 10

UNCHANGED = "none"
"""The transform of a dataset whose images are as published."""


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
class Images:
    """Images of digits, in the order of their source. The array may be read-only.

    Attributes
    ----------
    images
        ``uint8 (n, 28, 28)``, white ink on black, 0 to 255, C-contiguous.

    Raises
    ------
    ValueError
        If an array has another shape or type.
    """

    images: NDArray[np.uint8]

    def __post_init__(self) -> None:
        _require(self.images, np.uint8, (len(self.images), SIDE, SIDE))
        if not self.images.flags.c_contiguous:
            raise ValueError("the images of a split must be C-contiguous")

    def __len__(self) -> int:
        return len(self.images)

    def take(self, indices: Sequence[int] | NDArray[np.integer | np.bool_]) -> "Images":
        """Copy the images at `indices`, in that order; a boolean mask of length n works too."""
        return Images(self.images[_as_index(indices)])

    def as_float(self) -> NDArray[np.float32]:
        """Convert the images to the input of a network: ``float32 (n, 28, 28, 1)`` in [0, 1]."""
        return np.divide(self.images[..., np.newaxis], np.float32(255), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Split(Images):
    """Images of digits and their labels, in the order of their source. The arrays may be read-only.

    Attributes
    ----------
    images
        ``uint8 (n, 28, 28)``, white ink on black, 0 to 255, C-contiguous.
    labels
        ``int64 (n,)``, 0 to 9.

    Raises
    ------
    ValueError
        If an array has another shape or type.
    """

    labels: NDArray[np.int64]

    def __post_init__(self) -> None:
        super().__post_init__()
        _require(self.labels, np.int64, (len(self.images),))

    def take(self, indices: Sequence[int] | NDArray[np.integer | np.bool_]) -> "Split":
        """Copy the images and labels at `indices`; see `Images.take`."""
        chosen = _as_index(indices)
        return Split(self.images[chosen], self.labels[chosen])


@dataclass(frozen=True, eq=False)
class Dataset:
    """A training and a test split. The test split is for the final evaluation, never for a choice.

    Attributes
    ----------
    name
        ``mnist``, ``usps``, ``uci``, or for the user's own digits the name of their folder in ``[a-z0-9-]``.
    transform
        Transforms of the published images: ``none``; ``mnist-procedure`` (`fit_to_mnist`) or another of `ALIGNMENTS`
        by its name; ``transpose`` (the axes of EMNIST swapped); ``smoothed`` (blurred by the publisher: USPS from
        LIBSVM); ``inverted`` (IDX files of dark ink on light paper); ``corrupted`` (test digits under the corruptions
        of MNIST-C); ``deskew`` (`deskew`); joined by ``+`` in the order of application, see `joined`.
    source
        Folder that the digits were read from, or ``scikit-learn``.
    """

    name: str
    train: Split
    test: Split
    transform: str
    source: str

    @cached_property
    def digest(self) -> str:
        """32 hexadecimal digits of the SHA-256 over shapes, images and labels of both splits.

        Equal digests mean equal digits in equal order, whatever their source.
        """
        return _digest(self.train, self.test)


@dataclass(frozen=True, eq=False)
class Unlabelled:
    """The user's own digits to apply networks to, without the labels that training needs.

    Attributes
    ----------
    name, transform, source
        As of `Dataset`.
    train
        Images that a network may be adapted to.
    test
        Images to classify; a `Split` if their labels are known. The same images as `train` if there is only one part.
    files
        File of each test image, relative to the folder; empty for IDX files.
    """

    name: str
    train: Images
    test: Images
    transform: str
    source: str
    files: tuple[str, ...] = ()

    @cached_property
    def digest(self) -> str:
        """32 hexadecimal digits over all images and the known labels, as of `Dataset`."""
        return _digest(self.train, self.test)


def joined(*transforms: str) -> str:
    """Join the names of transforms in the order of application; `UNCHANGED` if there is none."""
    return "+".join(transform for transform in transforms if transform != UNCHANGED) or UNCHANGED


def _digest(*parts: Images) -> str:
    sha256 = hashlib.sha256()
    for part in parts:
        sha256.update(str(part.images.shape).encode())
        sha256.update(part.images.data)
        if isinstance(part, Split):
            sha256.update(np.ascontiguousarray(part.labels, "<i8").data)
    return sha256.hexdigest()[:32]


def _as_index(indices: Sequence[int] | NDArray[np.integer | np.bool_]) -> NDArray[np.integer | np.bool_]:
    chosen = np.asarray(indices)
    return chosen.astype(np.intp) if chosen.size == 0 else chosen


def _require(array: NDArray[Any], dtype: type[np.generic], shape: tuple[int, ...]) -> None:
    if array.dtype != dtype or array.shape != shape:
        expected = f"{np.dtype(dtype)} {shape}"
        raise ValueError(f"a split needs {expected}. Received: {array.dtype} {array.shape}")
