"""Stratified parts of a split: validation digits, held-out test digits, smaller samples."""

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.dataset import CLASSES, Split
from experiments.errors import DigitsError, UsageError

VALIDATION_SEED = 1998
TEST_SEED = 1797
TEST_FRACTION = 0.2  # where no official split exists


def split_validation(train: Split, fraction: float) -> tuple[Split, Split]:
    """Divide training digits into those to learn from and those to choose by.

    The division depends on nothing but `train` and `fraction`: it takes no seed, so that all networks and
    all seeds are compared on the same validation digits, and a difference between two runs is never a
    difference between their validation sets.

    Parameters
    ----------
    fraction
        The share to validate on, above 0 and below 1; each class gives its share.

    Returns
    -------
    (train, validation), both in the order of the original.

    Raises
    ------
    UsageError
        When `fraction` is not between 0 and 1, or leaves one of the two parts empty.
    """
    if not 0 < fraction < 1:
        raise UsageError(f"the validation fraction must be above 0 and below 1, received {fraction}")
    size = round(fraction * len(train))
    if size in {0, len(train)}:
        raise UsageError(
            f"a validation fraction of {fraction} of {len(train)} digits leaves {size} to validate on and "
            f"{len(train) - size} to learn from: take more digits or another fraction"
        )
    return _divide(train, size, VALIDATION_SEED)


def hold_out_test(whole: Split, source: str) -> tuple[Split, Split]:
    """Divide digits without an official split, 80 to 20, always in the same way: (train, test).

    Raises
    ------
    DigitsError
        When there are too few digits; the line names `source`.
    """
    size = round(TEST_FRACTION * len(whole))
    if size == 0:
        raise DigitsError(f"{source} has {len(whole)} digits: too few to hold out a fifth as test digits")
    return _divide(whole, size, TEST_SEED)


def sample(split: Split, n: int, seed: int = 0) -> Split:
    """Draw exactly `n` digits at random, each class in its proportion (largest remainders), order kept.

    A split of `n` digits or fewer comes back whole.

    Raises
    ------
    UsageError
        When `n` is less than 1.
    """
    return split if n >= len(split) else split.take(sample_indices(split, n, seed))


def sample_indices(split: Split, n: int, seed: int = 0) -> NDArray[np.int64]:
    """Return the indices, int64 (min(n, len(split)),) and ascending, of the digits that `sample` draws.

    Raises
    ------
    UsageError
        When `n` is less than 1.
    """
    if n < 1:
        raise UsageError(f"a sample needs at least 1 digit, received {n}")
    if n >= len(split):
        return np.arange(len(split))
    return np.flatnonzero(_choose(split.labels, n, seed))


def _divide(split: Split, size: int, seed: int) -> tuple[Split, Split]:
    chosen = _choose(split.labels, size, seed)
    return split.take(~chosen), split.take(chosen)


def _choose(labels: NDArray[np.int64], n: int, seed: int) -> NDArray[np.bool_]:
    """Return a mask of `n` digits, stratified: in each class those with the smallest random keys."""
    keys = np.random.default_rng(seed).random(labels.size)
    chosen = np.zeros(labels.size, np.bool_)
    for digit, share in enumerate(_shares(labels, n)):
        members = np.flatnonzero(labels == digit)
        chosen[members[np.argsort(keys[members], kind="stable")[:share]]] = True
    return chosen


def _shares(labels: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Apportion `n` to the classes by their sizes, by the method of largest remainders (Hamilton)."""
    counts = np.bincount(labels, minlength=CLASSES)
    shares, remainders = np.divmod(counts * n, labels.size)
    largest = np.argsort(-remainders, kind="stable")[: n - shares.sum()]
    shares[largest] += 1
    return shares
