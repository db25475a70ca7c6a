"""The digits of an analysis."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TRAIN, TEST, BOTH = "train", "test", "both"
SPLITS = (TRAIN, TEST)


@dataclass(frozen=True, eq=False)
class AnalyzedDigits:
    """The n digits of an analysis: those of the training split, then those of the test split.

    Attributes
    ----------
    images
        uint8 (n, 28, 28).
    labels
        int64 (n,).
    index
        Index of each digit in its split of the dataset, int64 (n,).
    train
        Number of digits of the training split.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    index: NDArray[np.int64]
    train: int

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, split: str) -> slice:
        """Return the positions of the digits of ``train``, ``test`` or ``both``."""
        return {TRAIN: slice(0, self.train), TEST: slice(self.train, len(self)), BOTH: slice(0, len(self))}[split]
