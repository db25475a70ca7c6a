"""The ensemble is the mean of its members, and their vote."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from experiments.evaluation import ensemble


def distributions(seed: int, members: int, n: int) -> NDArray[np.float64]:
    """Return what some models say of some images, float64 (members, n, 10)."""
    return np.random.default_rng(seed).dirichlet(np.full(10, 0.3), (members, n))


MANY = st.builds(distributions, st.integers(0, 2**32 - 1), st.integers(2, 7), st.integers(1, 30))


@given(said=MANY)
def test_it_is_the_mean_and_votes_for_a_digit_that_most_favour_and_of_these_the_most_probable(
    said: NDArray[np.float64],
) -> None:
    together = ensemble(list(said))
    np.testing.assert_allclose(together.probabilities, said.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(together.probabilities.sum(axis=1), 1, atol=1e-6)
    assert together.probabilities.dtype == np.float32
    for i, vote in enumerate(together.votes.tolist()):
        counts = Counter(said[:, i].argmax(axis=1).tolist())
        best = [digit for digit, count in counts.items() if count == max(counts.values())]
        assert vote == max(best, key=lambda digit: said[:, i, digit].mean())


def test_votes_and_mean_may_differ() -> None:
    sure, unsure = np.eye(10)[[3]], np.full((1, 10), 0.04)
    unsure[0, [3, 5]] = 0.33, 0.35
    together = ensemble([sure, unsure, unsure])
    assert together.probabilities.argmax(axis=1).tolist() == [3]
    assert together.votes.tolist() == [5]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([np.eye(10)], "received 1$"),
        ([np.eye(10), np.eye(10)[:9]], r"\(10, 10\), received \(9, 10\)"),
        ([np.eye(10), 2 * np.eye(10)], r"\[0, 1\]"),
    ],
)
def test_what_is_no_ensemble_is_refused(members: list[NDArray[np.float64]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ensemble(members)
