"""The UCI digits that come with scikit-learn: 1,797 of 8x8, no download."""

from pathlib import Path

import numpy as np

from experiments.datasets.dataset import RawSplit
from experiments.datasets.published.published_dataset import Bundle, PublishedDataset


def read_uci() -> RawSplit:
    """Read scikit-learn's digits, their 17 gray levels scaled to 0 to 255.

    Scikit-learn contains only the test part of the original, so there is no official split.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    return RawSplit(np.rint(digits.images * (255 / 16)).astype(np.uint8), digits.target.astype(np.int64))


def uci_folder() -> Path:
    """Return the folder of scikit-learn that holds the digits."""
    import sklearn.datasets

    return Path(sklearn.datasets.__file__).parent / "data"


UCI = PublishedDataset(
    name="uci",
    description="UCI optical digits (Alpaydin, Kaynak 1998), the part in scikit-learn",
    sizes=(1_438, 359),
    shape=(8, 8),
    homepage="https://archive.ics.uci.edu/dataset/80",
    bundle=Bundle("scikit-learn", uci_folder, read_uci),
)
