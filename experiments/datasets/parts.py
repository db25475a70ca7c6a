"""What a folder of the user's own digits holds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.dataset import Digits, Split


@dataclass(frozen=True)
class Parts:
    """The digits of a folder.

    Attributes
    ----------
    train, test
        A `Split` where they have labels; None where there is no such part. At least one is there.
    transform
        What was applied to both.
    files
        The file of each test digit, or of each training digit where there is no test part, relative to the folder;
        none for IDX files.
    """

    train: Digits | None
    test: Digits | None
    transform: str
    files: tuple[str, ...] = ()


def digits_of(images: NDArray[np.uint8], labels: NDArray[np.int64] | None) -> Digits:
    """Return images as a `Split`, or as `Digits` where there are no labels."""
    return Digits(images) if labels is None else Split(images, labels)
