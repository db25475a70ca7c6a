"""Digits with their place in the data."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class DigitImages:
    """Images of n digits with their place in the data.

    Attributes
    ----------
    images
        uint8 (n, 28, 28); n may be 0.
    splits
        Name of the split of each, (n,).
    index
        Index of each within its split, int64 (n,).
    labels
        True digits, int64 (n,).
    """

    images: NDArray[np.uint8]
    splits: NDArray[np.str_]
    index: NDArray[np.int64]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.images)

    def names(self) -> Iterator[str]:
        """Yield split, index and label of each digit, such as ``test 9999 (7)``."""
        for split, index, label in zip(self.splits, self.index, self.labels, strict=True):
            yield f"{split} {index} ({label})"
