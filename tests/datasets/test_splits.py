"""Parts of a split are stratified, exact, in order and the same every time."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numbered_digits import indices, numbered
from numpy.typing import NDArray

from experiments.datasets import load
from experiments.datasets.dataset import Split
from experiments.datasets.splits import concatenate, hold_out_test, sample, split_validation
from experiments.errors import DigitsError, UsageError

LABELS = arrays(np.int64, st.integers(20, 300), elements=st.integers(0, 9))


FIFTY = numbered(np.arange(50) % 10)


def assert_stratified(whole: Split, part: Split) -> None:
    """The part is in order and with its labels; each class has its exact share, rounded down or up."""
    assert np.all(np.diff(indices(part)) > 0)
    np.testing.assert_array_equal(part.labels, whole.labels[indices(part)])
    counts = [np.bincount(split.labels, minlength=10) for split in (part, whole)]
    assert np.all(np.abs(counts[0] - counts[1] * len(part) / len(whole)) < 1)


@given(labels=LABELS, fraction=st.floats(0.05, 0.95))
def test_validation_and_test_digits_are_stratified_parts(labels: NDArray[np.int64], fraction: float) -> None:
    whole = numbered(labels)
    for (rest, held), share in ((split_validation(whole, fraction), fraction), (hold_out_test(whole, "here"), 0.2)):
        assert len(held) == round(share * len(whole))
        assert sorted([*indices(rest), *indices(held)]) == list(range(len(whole)))
        for part in (rest, held):
            assert_stratified(whole, part)


@given(labels=LABELS, n=st.integers(1, 320), seed=st.integers(0, 100))
def test_a_sample_is_stratified_and_exact(labels: NDArray[np.int64], n: int, seed: int) -> None:
    whole = numbered(labels)
    drawn = sample(whole, n, seed)
    assert len(drawn) == min(n, len(whole))
    assert_stratified(whole, drawn)


def test_everyone_gets_the_same_validation_digits_and_samples_by_their_seed() -> None:
    whole = numbered(np.arange(500) % 10)
    held = [indices(split_validation(whole, 0.1)[1]) for _ in range(2)]
    assert held[0] == held[1]
    drawn = [indices(sample(whole, 50, seed)) for seed in (3, 3, 4)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_every_digit_can_be_drawn() -> None:
    drawn = {index for seed in range(100) for index in indices(sample(FIFTY, 10, seed))}
    assert drawn == set(range(50))


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, float("nan"), 0.001, 0.999])
def test_a_fraction_that_leaves_a_part_empty_is_refused(fraction: float) -> None:
    with pytest.raises(UsageError, match=f"{fraction}"):
        split_validation(FIFTY, fraction)


@pytest.mark.parametrize("n", [0, -1])
def test_a_sample_of_nothing_is_refused(n: int) -> None:
    with pytest.raises(UsageError, match=f"received {n}"):
        sample(FIFTY, n)


def test_too_few_digits_to_hold_out_are_refused() -> None:
    with pytest.raises(DigitsError, match="there has 2 "):
        hold_out_test(numbered(np.arange(2)), "there")


def test_the_test_digits_of_uci_stay_those_of_earlier_versions() -> None:
    digest = hashlib.sha256(load("uci").test.images.tobytes()).hexdigest()
    assert digest.startswith("56f12f3e01424566")  # otherwise accuracies could no longer be compared


def test_splits_one_after_the_other() -> None:
    parts = [FIFTY.take(range(20)), FIFTY.take(range(20, 21)), FIFTY.take(range(21, 50))]
    np.testing.assert_array_equal(concatenate(parts).images, FIFTY.images)
    np.testing.assert_array_equal(concatenate(parts).labels, FIFTY.labels)
    assert concatenate([FIFTY]) is FIFTY
