"""Shares of images that are not independent are counted by what they tell, and so do not tell too much."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import fisher_exact

from experiments.evaluation import mcnemar, wilson_interval
from experiments.transfer.proportions import (
    Proportion,
    closes_less,
    design_effect,
    difference_interval,
    loss_difference,
    paired,
    paired_change,
    proportion_of,
    rank_correlation,
)

VIEWS, DIGITS, SAMPLES = 15, 300, 400


def seen(rng: np.random.Generator, accuracy: float, alike: float, digits: int = DIGITS) -> NDArray[np.bool_]:
    """Return which views are recognised: each digit has an ease of its own, more so the more alike its views are."""
    if not alike:
        return rng.random((VIEWS, digits)) < accuracy
    concentration = 1 / alike - 1  # so that two views of a digit correlate by `alike`
    ease = rng.beta(accuracy * concentration, (1 - accuracy) * concentration, digits)
    return rng.random((VIEWS, digits)) < ease


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.integers(0, 40))
def test_independent_images_are_counted_as_they_are(counts: tuple[int, int], other: int) -> None:
    count, n = counts
    share = Proportion(count, n)
    assert (share.weight, share.successes) == (n, count)
    assert share.interval() == wilson_interval(count, n)
    assert share.differs(Proportion(other, 40)) == fisher_exact([[count, n - count], [other, 40 - other]]).pvalue


def test_views_weigh_less_and_the_share_stays_what_it_is() -> None:
    share = Proportion(1200, 1500, 15)
    assert share.weight == 100
    assert share.successes == pytest.approx(80)
    assert share.interval() == pytest.approx(wilson_interval(80, 100))
    assert share.differs(Proportion(50, 100)) == pytest.approx(Proportion(80, 100).differs(Proportion(50, 100)))
    assert Proportion(3, 4, 15).weight == 1


@pytest.mark.parametrize(("alike", "expected"), [(0.0, 1.0), (0.1, 2.4), (0.5, 8.0), (0.9, 13.6)])
def test_the_design_effect_is_that_of_the_correlation(alike: float, expected: float) -> None:
    # 1 + (views - 1) times the correlation of two views (Kish 1965).
    assert design_effect(seen(np.random.default_rng(0), 0.8, alike, 20_000)) == pytest.approx(expected, rel=0.04)


@pytest.mark.parametrize("right", [np.ones((4, 9), bool), np.zeros((4, 9), bool), np.array([[True], [False]])])
def test_where_digits_do_not_tell_each_counts_once(right: NDArray[np.bool_]) -> None:
    assert design_effect(right) == len(right)


def test_the_design_effect_stays_between_one_and_the_number_of_views() -> None:
    right = np.random.default_rng(0).random(50) < 0.5
    assert design_effect(np.tile(right, (4, 1))) == 4
    assert design_effect(np.stack([right, ~right])) == 1
    assert design_effect(right[np.newaxis]) == 1


@pytest.mark.parametrize("alike", [0.0, 0.3, 0.8])
def test_views_of_digits_make_no_false_findings(alike: float) -> None:
    rng = np.random.default_rng(1)
    false, naive, covered = [], [], []
    for _ in range(SAMPLES):
        right = seen(rng, 0.8, alike)
        before = Proportion(int(rng.binomial(2000, 0.8)), 2000)
        after = Proportion(int(right.sum()), right.size, design_effect(right))
        low, high = difference_interval(before, after)
        false.append(before.differs(after) < 0.05)
        naive.append(before.differs(Proportion(after.count, after.n)) < 0.05)
        covered.append(low <= 0 <= high)
    assert np.mean(false) < 0.05 + 0.02
    assert np.mean(covered) > 0.95 - 0.025
    if alike:
        assert np.mean(naive) > 0.2  # what is avoided


def test_digits_counted_once_make_no_false_findings_either() -> None:
    rng = np.random.default_rng(2)
    false = []
    for _ in range(SAMPLES):
        right = seen(rng, 0.8, 0.5)
        false.append(Proportion(1600, 2000).differs(Proportion(int(right.sum()), right.size, VIEWS)) < 0.05)
    assert np.mean(false) < 0.05


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_single_images_are_paired_by_mcnemar_s_test(pairs: list[tuple[bool, bool]]) -> None:
    before, after = np.array(pairs, bool).T
    assert paired(before, after) == mcnemar(before, after).p_value


@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(1, 9))
def test_views_are_paired_as_all_ways_of_turning_digits_round_tell(seed: int, views: int, n: int) -> None:
    before, after = np.random.default_rng(seed).random((2, views * n)) < 0.5
    more = (after.astype(int) - before).reshape(views, n).sum(axis=0)
    by_chance = [abs(np.dot(signs, more)) >= abs(more.sum()) for signs in product((-1, 1), repeat=n)]
    assert paired(before, after, views) == pytest.approx(np.mean(by_chance))
    assert paired(after, before, views) == pytest.approx(paired(before, after, views))


def test_a_pair_that_is_alike_does_not_differ() -> None:
    right = np.random.default_rng(0).random(60) < 0.5
    assert paired(right, right) == paired(right, right, 15) == 1


@pytest.mark.parametrize("alike", [0.1, 0.5, 0.9])
def test_views_of_the_same_digits_make_no_false_findings_in_pairs(alike: float) -> None:
    rng = np.random.default_rng(3)
    false, naive = [], []
    for _ in range(SAMPLES):
        eases = rng.permuted(np.stack([ease(rng, alike), ease(rng, alike)]), axis=0)  # digits change, any way alike
        before, after = (np.ravel(rng.random((VIEWS, DIGITS)) < one) for one in eases)
        false.append(paired(before, after, VIEWS) < 0.05)
        naive.append(paired(before, after) < 0.05)
    assert np.mean(false) < 0.05 + 0.03
    if alike > 0.1:
        assert np.mean(naive) > 0.2  # what is avoided


def ease(rng: np.random.Generator, alike: float) -> NDArray[np.float64]:
    return rng.beta(0.8 * (1 / alike - 1), 0.2 * (1 / alike - 1), DIGITS)


def test_many_small_gains_and_few_large_losses_are_no_change_of_accuracy() -> None:
    rng = np.random.default_rng(4)
    false, by_sign = [], []
    for _ in range(SAMPLES):
        loses = rng.random(DIGITS) < 0.1
        before = rng.random((VIEWS, DIGITS)) < 0.85
        after = rng.random((VIEWS, DIGITS)) < np.where(loses, 0.85 - 0.63, 0.85 + 0.07)
        false.append(paired(before.ravel(), after.ravel(), VIEWS) < 0.05)
        more = after.sum(axis=0) - before.sum(axis=0)
        by_sign.append(mcnemar(more > 0, more < 0).p_value < 0.05)
    assert np.mean(false) < 0.05 + 0.03
    assert np.mean(by_sign) > 0.5  # what is avoided


def test_the_same_digits_show_what_different_ones_do_not() -> None:
    # 42.0 % and 51.3 % of digits in views, where what changes is the same for all.
    rng = np.random.default_rng(5)
    eases = rng.beta(0.5, 0.7, DIGITS)
    before, after = (rng.random((VIEWS, DIGITS)) < np.clip(eases + more, 0, 1) for more in (0, 0.1))
    assert paired(before.ravel(), after.ravel(), VIEWS) < 1e-6
    assert (
        Proportion(int(before.sum()), before.size, VIEWS).differs(Proportion(int(after.sum()), after.size, VIEWS))
        > 0.01
    )


@pytest.mark.parametrize("alike", [0.0, 0.5])
def test_the_interval_of_a_paired_change_covers_the_truth(alike: float) -> None:
    rng, covered = np.random.default_rng(6), []
    for _ in range(SAMPLES):
        eases = rng.beta(1.6, 0.4, DIGITS) if alike else np.full(DIGITS, 0.8)
        before, after = (np.ravel(rng.random((VIEWS, DIGITS)) < ease) for ease in (eases, eases - 0.1 * eases))
        change = paired_change("", before, after, VIEWS)
        covered.append(change.low <= -0.08 <= change.high)
    assert 0.92 < np.mean(covered) < 0.985


def test_a_change_that_never_happens_is_no_certainty() -> None:
    change = paired_change("", np.ones(100, bool), np.ones(100, bool), 1)
    assert (change.size, change.p) == (0, 1)
    assert change.low < -0.01 < 0.01 < change.high


def test_the_difference_of_two_losses_has_a_normal_interval() -> None:
    shares = Proportion(980, 1000), Proportion(940, 1000), Proportion(980, 1000), Proportion(760, 1000)
    effect = loss_difference("", shares[:2], shares[2:])
    assert (effect.before, effect.after, effect.size) == pytest.approx((-0.22, -0.04, 0.18))
    spread = np.sqrt(sum(share.variance for share in shares))
    assert (effect.low, effect.high) == pytest.approx((0.18 - 1.96 * spread, 0.18 + 1.96 * spread), abs=1e-5)
    assert effect.p < 1e-12


def test_ranks_of_few_or_equal_items_are_not_correlated() -> None:
    assert [one.size for one in rank_correlation("", [(i, -i) for i in range(5)])] == pytest.approx([-1])
    assert not [*rank_correlation("", [(i, i) for i in range(4)])]
    assert not [*rank_correlation("", [(i, 0) for i in range(9)])]


@given(n=st.integers(1, 50), seed=st.integers(0, 2**32 - 1), share=st.floats(0, 1))
def test_the_interval_of_one_view_is_wilson_s(n: int, seed: int, share: float) -> None:
    right = np.random.default_rng(seed).random(n) < share
    assert proportion_of(right, 1).interval() == pytest.approx(wilson_interval(int(right.sum()), n))


@pytest.mark.parametrize(
    ("n", "accuracy", "spread"), [(60, 0.97, 0.1), (200, 0.9, 0.3), (500, 0.7, 2.0), (100, 0.5, 9.0)]
)
def test_the_interval_over_views_covers_the_truth(n: int, accuracy: float, spread: float) -> None:
    # Digits differ in how often they are recognised, by a beta distribution: the smaller its sum, the more.
    rng, samples = np.random.default_rng(0), 1500
    easiness = rng.beta(accuracy / spread, (1 - accuracy) / spread, (samples, n))
    right = rng.random((samples, VIEWS, n)) < easiness[:, None]
    intervals = np.array([proportion_of(one.ravel(), VIEWS).interval() for one in right])
    covered = ((intervals[:, 0] <= accuracy) & (accuracy <= intervals[:, 1])).mean()
    assert 0.92 < covered < 0.985


@pytest.mark.parametrize("views", [1, VIEWS])
def test_what_closes_half_of_a_gap_is_rarely_said_to_close_more(views: int) -> None:
    rng = np.random.default_rng(6)
    false, true = [], []
    for _ in range(SAMPLES):
        goal = Proportion(int(rng.binomial(2000, 0.9)), 2000)
        eases = rng.beta(6, 4, DIGITS)
        before = (rng.random((views, DIGITS)) < eases).ravel()
        half, most = ((rng.random((views, DIGITS)) < eases + x * (1 - eases)).ravel() for x in (0.375, 0.74))
        false.append(closes_less(0.5, goal, before, half, views) < 0.05)
        true.append(closes_less(0.5, goal, before, most, views) < 0.05)
    assert np.mean(false) < 0.05 + 0.03
    assert np.mean(true) > 0.9
