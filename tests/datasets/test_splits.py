import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from experiments.datasets.dataset import Split
from experiments.datasets.splits import hold_out_test, sample, split_validation
from experiments.errors import DigitsError, UsageError

LABELS = arrays(np.int64, st.integers(20, 300), elements=st.integers(0, 9))


def numbered(labels: NDArray[np.int64]) -> Split:
    """Return a split whose images carry their own index."""
    images = np.zeros((labels.size, 28, 28), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.divmod(np.arange(labels.size), 256)
    return Split(images, labels)


def indices(split: Split) -> NDArray[np.int64]:
    return split.images[:, 0, 0].astype(np.int64) * 256 + split.images[:, 0, 1]


def counts(split: Split) -> NDArray[np.int64]:
    return np.bincount(split.labels, minlength=10)


def assert_parts(whole: Split, rest: Split, held: Split) -> None:
    """The two parts are disjoint, complete, in order and with their labels."""
    assert sorted([*indices(rest), *indices(held)]) == list(range(len(whole)))
    for part in (rest, held):
        assert np.all(np.diff(indices(part)) > 0)
        np.testing.assert_array_equal(part.labels, whole.labels[indices(part)])


def assert_stratified(whole: Split, part: Split) -> None:
    """Each class has its exact share, rounded down or up."""
    assert np.all(np.abs(counts(part) - counts(whole) * len(part) / len(whole)) < 1)


@given(labels=LABELS, fraction=st.floats(0.05, 0.95))
def test_validation_is_a_stratified_part(labels: NDArray[np.int64], fraction: float) -> None:
    whole = numbered(labels)
    train, validation = split_validation(whole, fraction)
    assert len(validation) == round(fraction * len(whole))
    assert_parts(whole, train, validation)
    assert_stratified(whole, validation)


@given(labels=LABELS)
def test_the_test_part_is_a_stratified_fifth(labels: NDArray[np.int64]) -> None:
    whole = numbered(labels)
    train, test = hold_out_test(whole, "there")
    assert len(test) == round(0.2 * len(whole))
    assert_parts(whole, train, test)
    assert_stratified(whole, test)


@given(labels=LABELS, n=st.integers(1, 320), seed=st.integers(0, 100))
def test_a_sample_is_stratified_and_exact(labels: NDArray[np.int64], n: int, seed: int) -> None:
    whole = numbered(labels)
    drawn = sample(whole, n, seed)
    assert len(drawn) == min(n, len(whole))
    assert np.all(np.diff(indices(drawn)) > 0)
    np.testing.assert_array_equal(drawn.labels, labels[indices(drawn)])
    assert_stratified(whole, drawn)


def test_everyone_gets_the_same_validation_digits() -> None:
    whole = numbered(np.arange(500) % 10)
    first, second = (indices(split_validation(whole, 0.1)[1]) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_samples_depend_on_their_seed_alone() -> None:
    whole = numbered(np.arange(500) % 10)
    np.testing.assert_array_equal(indices(sample(whole, 50, 3)), indices(sample(whole, 50, 3)))
    assert set(indices(sample(whole, 50, 3))) != set(indices(sample(whole, 50, 4)))


def test_every_digit_can_be_drawn() -> None:
    whole = numbered(np.arange(40) % 10)
    drawn = {int(index) for seed in range(100) for index in indices(sample(whole, 10, seed))}
    assert drawn == set(range(40))


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, float("nan")])
def test_a_fraction_outside_0_to_1_is_refused(fraction: float) -> None:
    with pytest.raises(UsageError, match=f"above 0 and below 1, received {fraction}"):
        split_validation(numbered(np.arange(50) % 10), fraction)


@pytest.mark.parametrize("fraction", [0.001, 0.999])
def test_a_fraction_that_leaves_a_part_empty_is_refused(fraction: float) -> None:
    with pytest.raises(UsageError, match="of 50 digits leaves"):
        split_validation(numbered(np.arange(50) % 10), fraction)


@pytest.mark.parametrize("n", [0, -1])
def test_a_sample_of_nothing_is_refused(n: int) -> None:
    with pytest.raises(UsageError, match=f"at least 1 digit, received {n}"):
        sample(numbered(np.arange(50) % 10), n)


def test_too_few_digits_to_hold_out_are_refused() -> None:
    with pytest.raises(DigitsError, match="there has 2 digits: too few"):
        hold_out_test(numbered(np.arange(2)), "there")
