"""Stratified parts of a split: validation digits, held-out test digits, samples."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.dataset import CLASSES, Split
from experiments.errors import DigitsError, UsageError

VALIDATION_SEED = 1998
TEST_SEED = 1797
TEST_FRACTION = 0.2  # of datasets without an official split


def concatenate(splits: Sequence[Split]) -> Split:
    """Return the digits of all splits, at least one, in order."""
    if len(splits) == 1:
        return splits[0]
    return Split(np.concatenate([split.images for split in splits]), np.concatenate([split.labels for split in splits]))


def split_validation(train: Split, fraction: float) -> tuple[Split, Split]:
    """Split training digits into training and validation digits.

    The split depends only on `train` and `fraction`. It takes no seed, so that all networks and seeds are compared on
    the same validation digits.

    Parameters
    ----------
    fraction
        Proportion of validation digits in each class, above 0 and below 1.

    Returns
    -------
    (train, validation), both in the original order.

    Raises
    ------
    UsageError
        If `fraction` is not between 0 and 1, or one of the parts is empty.
    """
    if not 0 < fraction < 1:
        raise UsageError(f"the validation fraction must be above 0 and below 1, received {fraction}")
    size = round(fraction * len(train))
    if size in {0, len(train)}:
        raise UsageError(
            f"a validation fraction of {fraction} of {len(train)} digits leaves {size} to validate on and "
            f"{len(train) - size} to train on: use more digits or another fraction"
        )
    return _split(train, size, VALIDATION_SEED)


def hold_out_test(whole: Split, source: str) -> tuple[Split, Split]:
    """Split digits without an official split, 80 to 20, the same in every run: (train, test).

    Raises
    ------
    DigitsError
        If there are too few digits, naming `source`.
    """
    size = round(TEST_FRACTION * len(whole))
    if size == 0:
        raise DigitsError(f"{source} has {len(whole)} digits: too few to hold out a fifth as test digits")
    return _split(whole, size, TEST_SEED)


def sample(split: Split, n: int, seed: int = 0) -> Split:
    """Draw exactly `n` digits at random, stratified (largest remainders), in the original order.

    A split of `n` digits or fewer is returned unchanged.

    Raises
    ------
    UsageError
        If `n` is less than 1.
    """
    return split if n >= len(split) else split.take(sample_indices(split, n, seed))


def sample_indices(split: Split, n: int, seed: int = 0) -> NDArray[np.int64]:
    """Return the indices of the digits that `sample` draws, ``int64 (min(n, len(split)),)``, ascending.

    Raises
    ------
    UsageError
        If `n` is less than 1.
    """
    if n < 1:
        raise UsageError(f"a sample needs at least 1 digit, received {n}")
    if n >= len(split):
        return np.arange(len(split))
    return np.flatnonzero(_choose(split.labels, n, seed))


def _split(split: Split, size: int, seed: int) -> tuple[Split, Split]:
    chosen = _choose(split.labels, size, seed)
    return split.take(~chosen), split.take(chosen)


def _choose(labels: NDArray[np.int64], n: int, seed: int) -> NDArray[np.bool_]:
    """Compute a stratified mask of `n` digits: in each class those with the smallest random keys."""
    keys = np.random.default_rng(seed).random(labels.size)
    chosen = np.zeros(labels.size, np.bool_)
    for digit, size in enumerate(_class_sizes(labels, n)):
        members = np.flatnonzero(labels == digit)
        chosen[members[np.argsort(keys[members], kind="stable")[:size]]] = True
    return chosen


def _class_sizes(labels: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Apportion `n` to the classes by their sizes, by the method of largest remainders (Hamilton)."""
    counts = np.bincount(labels, minlength=CLASSES)
    sizes, remainders = np.divmod(counts * n, labels.size)
    largest = np.argsort(-remainders, kind="stable")[: n - sizes.sum()]
    sizes[largest] += 1
    return sizes
