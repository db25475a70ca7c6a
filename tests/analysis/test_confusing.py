"""The four measures are what they say; the ranking joins them fairly."""

import numpy as np
import pytest
from cleanlab.rank import get_label_quality_scores
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import gmean, rankdata, spearmanr

from experiments.analysis.confusing import MEASURES, cluster_disagreement, label_quality, margin, rank

Verdicts = tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32], NDArray[np.float64]]


@st.composite
def verdicts(draw: st.DrawFn, least: float = 0.0) -> Verdicts:
    """Draw ratios, labels, probabilities of at least `least`, and cluster disagreements with ties."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    n = draw(st.integers(1, 40))
    probabilities = generator.dirichlet(np.full(10, draw(st.sampled_from([0.05, 0.5, 3.0]))), n)
    probabilities = (1 - 10 * least) * probabilities + least
    ratio = np.exp(generator.normal(size=n)).astype(np.float32)
    return ratio, generator.integers(0, 10, n), probabilities.astype(np.float32), generator.integers(0, 4, n) / 4


@settings(max_examples=50, deadline=None)
@given(verdicts())
def test_margin_is_the_best_other_less_the_label(drawn: Verdicts) -> None:
    _, labels, probabilities, _ = drawn
    expected = [max(np.delete(row, label)) - row[label] for label, row in zip(labels, probabilities, strict=True)]
    np.testing.assert_allclose(margin(labels, probabilities), expected, atol=1e-7)


@settings(max_examples=50, deadline=None)
@given(verdicts(least=0.01))
def test_label_quality_is_cleanlabs(drawn: Verdicts) -> None:
    _, labels, probabilities, _ = drawn
    theirs = get_label_quality_scores(labels, probabilities.astype(np.float64), method="confidence_weighted_entropy")
    # A millionth of probability given to each class changes a label's share of 0.01 by a ten-thousandth.
    np.testing.assert_allclose(label_quality(labels, probabilities), theirs, atol=1e-3)


def test_label_quality_grows_with_certainty_of_the_label_and_falls_with_that_of_another() -> None:
    rest = np.array([0.3, 0.1, 1e-3, 1e-6, 1e-8, 1e-12, 1e-20, 0])
    probabilities = np.zeros((len(rest), 10), np.float32)
    probabilities[:, 4], probabilities[:, 7] = 1 - rest, rest
    right, wrong = (label_quality(np.full(len(rest), label), probabilities) for label in (4, 7))
    assert (np.diff(right) >= 0).all()
    assert (np.diff(wrong) <= 0).all()
    assert right[2:].min() > 0.99
    assert wrong[3:].max() < 0.2


def test_a_probability_rounded_past_one_is_taken() -> None:
    probabilities = np.zeros((1, 10), np.float32)
    probabilities[0, 3] = np.nextafter(np.float32(1), np.float32(2))
    assert label_quality(np.array([3]), probabilities)[0] > 0.99


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 5), st.integers(1, 3))
def test_disagreement_is_the_share_of_others_in_the_cluster(seed: int, n: int, clusters: int, methods: int) -> None:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 10, n)
    groupings = [generator.integers(0, clusters, n) for _ in range(methods)]
    expected = [
        np.mean([np.mean(labels[grouping == grouping[i]] != labels[i]) for grouping in groupings]) for i in range(n)
    ]
    np.testing.assert_allclose(cluster_disagreement(labels, groupings), expected, atol=1e-12)


@settings(max_examples=50, deadline=None)
@given(verdicts())
def test_score_is_one_less_the_weighted_geometric_mean_of_the_ranks(drawn: Verdicts) -> None:
    ratio, labels, probabilities, disagreement = drawn
    found = rank(*drawn)
    assert set(found.measures) == set(MEASURES)
    np.testing.assert_array_equal(found.measures["ratio"], ratio)
    np.testing.assert_array_equal(found.measures["cluster_disagreement"], disagreement)
    np.testing.assert_array_equal(found.measures["margin"], margin(labels, probabilities))
    np.testing.assert_allclose(found.measures["label_error"], 1 - label_quality(labels, probabilities))
    weights = {"ratio": 2, "margin": 1, "label_error": 1, "cluster_disagreement": 1}
    shares = [rankdata(-found.measures[name]) / len(labels) for name in weights]
    expected = 1 - gmean(shares, axis=0, weights=np.array(list(weights.values()))[:, None])
    np.testing.assert_allclose(found.score, expected, atol=1e-12)
    assert (found.score >= 0).all()
    assert (found.score < 1).all()
    assert sorted(found.order.tolist()) == list(range(len(labels)))
    assert (np.diff(found.score[found.order]) <= 1e-11).all()
    np.testing.assert_allclose(found.percentile[found.order], 1 - np.arange(len(labels)) / len(labels))


@settings(max_examples=50, deadline=None)
@given(verdicts())
def test_agreement_of_measures_is_spearmans(drawn: Verdicts) -> None:
    found = rank(*drawn)
    assert len(found.correlations) == 6
    for (first, second), value in found.correlations.items():
        pair = found.measures[first], found.measures[second]
        if all(np.ptp(values) > 0 for values in pair):
            assert value == pytest.approx(spearmanr(*pair).statistic, abs=1e-9)
        else:
            assert value == 0


@settings(max_examples=50, deadline=None)
@given(verdicts(), st.integers(0, 2**32))
def test_the_order_of_the_digits_does_not_matter(drawn: Verdicts, seed: int) -> None:
    shuffled = np.random.default_rng(seed).permutation(len(drawn[0]))
    ratio, labels, probabilities, disagreement = drawn
    other = rank(ratio[shuffled], labels[shuffled], probabilities[shuffled], disagreement[shuffled])
    np.testing.assert_allclose(other.score, rank(*drawn).score[shuffled], atol=1e-12)


@settings(max_examples=50, deadline=None)
@given(verdicts(), st.data())
def test_what_all_measures_put_first_comes_first(drawn: Verdicts, data: st.DataObject) -> None:
    ratio, labels, probabilities, disagreement = drawn
    worst = data.draw(st.integers(0, len(labels) - 1))
    probabilities = (probabilities / 2 + np.eye(10)[labels] / 2).astype(np.float32)
    probabilities[worst] = 0
    probabilities[worst, (labels[worst] + 1) % 10] = 1
    ratio[worst], disagreement[worst] = np.inf, 1
    found = rank(ratio, labels, probabilities, disagreement)
    assert found.order[0] == worst
    assert found.score[worst] == pytest.approx(1 - 1 / len(labels))


def test_of_digits_that_tie_the_larger_ratio_comes_first() -> None:
    # They swap their ranks in the ratio and in what the probabilities say, which counts as much.
    for worse in range(7):
        ratio, probabilities = np.ones(7, np.float32), np.full((7, 10), 0.05, np.float32)
        probabilities[:, 0] = 0.55
        ratio[worse], ratio[(worse + 3) % 7] = 5, 3
        probabilities[worse, :2], probabilities[(worse + 3) % 7, :2] = (0.4, 0.2), (0.3, 0.3)
        found = rank(ratio, np.zeros(7, np.int64), probabilities, np.zeros(7))
        assert found.score[worse] == pytest.approx(found.score[(worse + 3) % 7])
        assert found.order[:2].tolist() == [worse, (worse + 3) % 7]
