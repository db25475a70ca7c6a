"""The digits that a folder of the user's holds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.dataset import Images, Split


@dataclass(frozen=True)
class Parts:
    """The digits of a folder.

    Attributes
    ----------
    train, test
        A `Split` if the labels are known; None if there is no such part. At least one is present.
    transform
        Transform that was applied to both.
    files
        File of each test digit, or of each training digit if there is no test part, relative to the folder; empty for
        IDX files.
    """

    train: Images | None
    test: Images | None
    transform: str
    files: tuple[str, ...] = ()


def images_or_split(images: NDArray[np.uint8], labels: NDArray[np.int64] | None) -> Images:
    """Build a `Split` from images and labels, or `Images` if there are no labels."""
    return Images(images) if labels is None else Split(images, labels)
