"""The UCI digits that come with scikit-learn: 1,797 of 8x8, no download."""

from pathlib import Path

import numpy as np

from experiments.datasets.alignment import DEFAULT, Alignment, to_split, transform_of
from experiments.datasets.dataset import Dataset, RawSplit
from experiments.datasets.splits import hold_out_test


def load_uci(alignment: Alignment = DEFAULT) -> Dataset:
    """Load scikit-learn's digits, their 17 grey levels spread over 0 to 255, fitted to 28x28.

    Scikit-learn carries the original's test part alone, so there is no official split: a fixed fifth of
    each class is the test split, the same in every run.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    raw = RawSplit(images, digits.target.astype(np.int64))
    train, test = hold_out_test(to_split(raw, alignment), "scikit-learn")
    return Dataset("uci", train, test, transform_of(images, alignment), "scikit-learn")


def uci_folder() -> Path:
    """Return the folder of scikit-learn that holds the digits."""
    import sklearn.datasets

    return Path(sklearn.datasets.__file__).parent / "data"
