"""Proportions, differences and paired tests agree with SciPy and published numbers, and keep their promised error."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import fisher_exact, kendalltau

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

Correct = NDArray[np.bool_]
VARIANTS, IMAGES, SAMPLES = 15, 300, 300


def drawn(rng: np.random.Generator, accuracy: float, correlation: float, n: int = IMAGES) -> Correct:
    """Draw the correctness of variants of images; two variants of an image have this correlation."""
    if not correlation:
        return rng.random((VARIANTS, n)) < accuracy
    concentration = 1 / correlation - 1
    return rng.random((VARIANTS, n)) < rng.beta(accuracy * concentration, (1 - accuracy) * concentration, n)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.integers(0, 40))
def test_independent_images_have_wilson_s_interval_and_fisher_s_test(counts: tuple[int, int], other: int) -> None:
    count, n = counts
    share = proportion_of(np.arange(n) < count, 1)
    assert (share, share.weight, share.successes) == (Proportion(count, n), n, count)
    assert share.interval() == wilson_interval(count, n)
    assert share.differs(Proportion(other, 40)) == fisher_exact([[count, n - count], [other, 40 - other]]).pvalue


def test_variants_weigh_less_and_the_proportion_stays() -> None:
    share = Proportion(1200, 1500, 15)
    assert (share.value, share.weight, share.successes) == pytest.approx((0.8, 100, 80))
    assert share.interval() == pytest.approx(wilson_interval(80, 100))
    assert share.differs(Proportion(50, 100)) == pytest.approx(Proportion(80, 100).differs(Proportion(50, 100)))
    assert Proportion(3, 4, 15).weight == 1
    assert Proportion(0, 120, 15).variance == pytest.approx(0.1 * 0.9 / 10)  # one more success and failure than 0 of 8


def test_the_interval_of_a_difference_is_newcombe_s_published_one() -> None:
    # Newcombe (1998), table II, method 10.
    assert difference_interval(Proportion(56, 70), Proportion(48, 80)) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert difference_interval(Proportion(9, 10), Proportion(3, 10)) == pytest.approx((0.1705, 0.8090), abs=5e-5)


@pytest.mark.parametrize(("correlation", "expected"), [(0.0, 1.0), (0.1, 2.4), (0.5, 8.0), (0.9, 13.6)])
def test_the_design_effect_follows_from_the_correlation(correlation: float, expected: float) -> None:
    # 1 + (variants - 1) times the correlation of two variants (Kish 1965).
    correct = drawn(np.random.default_rng(0), 0.8, correlation, 20_000)
    assert design_effect(correct) == pytest.approx(expected, rel=0.04)


def test_the_design_effect_is_between_one_and_the_number_of_variants() -> None:
    correct = np.random.default_rng(0).random(50) < 0.5
    assert design_effect(np.tile(correct, (4, 1))) == 4
    assert design_effect(np.stack([correct, ~correct])) == 1
    for unknown in (np.ones((4, 9), bool), np.zeros((4, 9), bool), np.array([[True], [False]])):
        assert design_effect(unknown) == len(unknown)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_single_images_are_paired_by_mcnemar_s_test(pairs: list[tuple[bool, bool]]) -> None:
    before, after = np.array(pairs, bool).T
    assert paired(before, after) == mcnemar(before, after).p_value


@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(1, 9))
def test_variants_are_paired_by_the_randomization_test_over_all_signs(seed: int, variants: int, n: int) -> None:
    before, after = np.random.default_rng(seed).random((2, variants * n)) < 0.5
    more = (after.astype(int) - before).reshape(variants, n).sum(axis=0)
    by_chance = [abs(np.dot(signs, more)) >= abs(more.sum()) for signs in product((-1, 1), repeat=n)]
    assert paired(before, after, variants) == pytest.approx(np.mean(by_chance))
    assert paired(after, before, variants) == pytest.approx(paired(before, after, variants))
    assert paired(before, before) == paired(before, before, variants) == 1


@pytest.mark.parametrize("varied", [True, False])
def test_the_interval_of_a_paired_change_covers_the_truth(varied: bool) -> None:
    rng, covered = np.random.default_rng(6), []
    for _ in range(SAMPLES):
        ease = rng.beta(1.6, 0.4, IMAGES) if varied else np.full(IMAGES, 0.8)
        before, after = (np.ravel(rng.random((VARIANTS, IMAGES)) < chance) for chance in (ease, 0.9 * ease))
        change = paired_change("", before, after, VARIANTS)
        covered.append(change.low <= -0.08 <= change.high)
    assert 0.92 < np.mean(covered) < 0.985


def test_a_change_that_never_happened_has_an_interval() -> None:
    change = paired_change("", np.ones(100, bool), np.ones(100, bool), 1)
    assert (change.size, change.p) == (0, 1)
    assert change.low < -0.01 < 0.01 < change.high


@pytest.mark.parametrize(
    ("n", "accuracy", "spread"), [(60, 0.97, 0.1), (200, 0.9, 0.3), (500, 0.7, 2.0), (100, 0.5, 9.0)]
)
def test_the_interval_over_variants_covers_the_truth(n: int, accuracy: float, spread: float) -> None:
    # Images differ in how often they are recognized, by a beta distribution: the smaller its sum, the more.
    rng, covered = np.random.default_rng(0), []
    for _ in range(SAMPLES):
        correct = rng.random((VARIANTS, n)) < rng.beta(accuracy / spread, (1 - accuracy) / spread, n)
        low, high = proportion_of(correct.ravel(), VARIANTS).interval()
        covered.append(low <= accuracy <= high)
    assert 0.92 < np.mean(covered) < 0.985


@pytest.mark.parametrize("variants", [1, VARIANTS])
def test_closing_half_of_a_gap_is_rarely_taken_for_more(variants: int) -> None:
    rng = np.random.default_rng(6)
    false, true = [], []
    for _ in range(SAMPLES):
        goal = Proportion(int(rng.binomial(2000, 0.9)), 2000)
        ease = rng.beta(6, 4, IMAGES)
        before = (rng.random((variants, IMAGES)) < ease).ravel()
        half, most = ((rng.random((variants, IMAGES)) < ease + x * (1 - ease)).ravel() for x in (0.375, 0.74))
        false.append(closes_less(0.5, goal, before, half, variants) < 0.05)
        true.append(closes_less(0.5, goal, before, most, variants) < 0.05)
    assert 0.01 < np.mean(false) < 0.05 + 0.03
    assert np.mean(true) > 0.9


def test_the_difference_of_two_losses_has_a_normal_interval() -> None:
    shares = Proportion(980, 1000), Proportion(940, 1000), Proportion(980, 1000), Proportion(760, 1000)
    effect = loss_difference("", shares[:2], shares[2:])
    assert (effect.before, effect.after, effect.size) == pytest.approx((-0.22, -0.04, 0.18))
    spread = np.sqrt(sum(share.variance for share in shares))
    assert (effect.low, effect.high) == pytest.approx((0.18 - 1.96 * spread, 0.18 + 1.96 * spread), abs=1e-5)
    assert effect.p < 1e-12


def test_at_least_five_items_that_vary_are_correlated() -> None:
    pairs = [(1.0, 2.0), (2.0, 1.0), (3.0, 5.0), (4.0, 3.0), (5.0, 4.0)]
    (found,) = rank_correlation("", pairs)
    assert (found.size, found.p) == pytest.approx(kendalltau(*zip(*pairs, strict=True)))
    assert not [*rank_correlation("", pairs[:4])]
    assert not [*rank_correlation("", [(i, 0) for i in range(9)])]
