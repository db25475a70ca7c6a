"""The four measures are what they say; the ranking joins them fairly."""

from pathlib import Path

import numpy as np
import pytest
from cleanlab.rank import get_label_quality_scores
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import gmean, rankdata, spearmanr

from experiments import analysis, datasets
from experiments.analysis.class_distances import class_distances
from experiments.analysis.clusters import kmeans
from experiments.analysis.confusing import MEASURES, cluster_disagreement, label_quality, margin, rank
from experiments.datasets import Split
from experiments.models import architecture
from experiments.training import fit

# Test digits whose label at most two of five people agreed with: mturk/mnist_mturk.json of cleanlab/label-errors
# (Northcutt, Athalye & Mueller, Pervasive label errors in test sets, 2021).
MISLABELLED = (947, 1621, 1901, 2130, 2462, 2597, 2654, 3520, 3558, 5937, 6651, 6783, 8527, 9679, 9729)

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


@settings(max_examples=50)
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
    probabilities[-1, 4] = np.nextafter(np.float32(1), np.float32(2))  # as rounding may have it
    assert label_quality(np.array([4]), probabilities[-1:])[0] > 0.99


@settings(max_examples=50)
@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 5), st.integers(1, 3))
def test_disagreement_is_the_share_of_others_in_the_cluster(seed: int, n: int, clusters: int, methods: int) -> None:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 10, n)
    groupings = [generator.integers(0, clusters, n) for _ in range(methods)]
    expected = [
        np.mean([np.mean(labels[grouping == grouping[i]] != labels[i]) for grouping in groupings]) for i in range(n)
    ]
    np.testing.assert_allclose(cluster_disagreement(labels, groupings), expected, atol=1e-12)


@settings(max_examples=50)
@given(verdicts())
def test_score_is_one_less_the_weighted_geometric_mean_of_the_ranks(drawn: Verdicts) -> None:
    ratio, labels, probabilities, disagreement = drawn
    n, found = len(labels), rank(*drawn)
    assert set(found.measures) == set(MEASURES)
    np.testing.assert_array_equal(found.measures["ratio"], ratio)
    np.testing.assert_array_equal(found.measures["cluster_disagreement"], disagreement)
    margins = [max(np.delete(row, label)) - row[label] for label, row in zip(labels, probabilities, strict=True)]
    np.testing.assert_allclose(found.measures["margin"], margins, atol=1e-7)
    np.testing.assert_array_equal(found.measures["margin"], margin(labels, probabilities))
    np.testing.assert_allclose(found.measures["label_error"], 1 - label_quality(labels, probabilities))
    weights = {"ratio": 2, "margin": 1, "label_error": 1, "cluster_disagreement": 1}
    shares = [rankdata(-found.measures[name]) / n for name in weights]
    expected = 1 - gmean(shares, axis=0, weights=np.array(list(weights.values()))[:, None])
    np.testing.assert_allclose(found.score, expected, atol=1e-12)
    assert ((found.score >= 0) & (found.score < 1)).all()
    assert sorted(found.order.tolist()) == list(range(n))
    assert (np.diff(found.score[found.order]) <= 1e-11).all()
    np.testing.assert_allclose(found.percentile[found.order], 1 - np.arange(n) / n)
    assert len(found.correlations) == 6
    for pair, value in found.correlations.items():
        both = [found.measures[name] for name in pair]
        spread = all(np.ptp(values) > 0 for values in both)
        assert value == pytest.approx(spearmanr(*both).statistic if spread else 0, abs=1e-9)


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


@pytest.mark.slow
@pytest.mark.real_data
def test_most_mislabelled_digits_of_mnist_are_among_the_first_hundred(data_dir: Path, tmp_path: Path) -> None:
    data = datasets.load("mnist", data_dir)
    fast, known = architecture("fast"), datasets.sample(data.train, 20_000)
    model = fit(fast, fast.recipe.override({"epochs": 2}), *datasets.split_validation(known, 0.1)).model
    everything = Split(
        np.concatenate([known.images, data.test.images]), np.concatenate([known.labels, data.test.labels])
    )
    extractor = analysis.feature_extractor(model, "fast")
    features, probabilities = analysis.extract(extractor, everything, tmp_path / "f.npy", tmp_path / "p.npy")
    points, n = analysis.reduce(features).points, len(known)
    near = class_distances(points[n:], data.test.labels, points[:n], known.labels)
    strange = cluster_disagreement(everything.labels, [kmeans(points, (10,)).groupings[10]])[n:]
    ranking = rank(near.ratio, data.test.labels, probabilities[n:], strange)
    assert np.isin(MISLABELLED, ranking.order[:100]).sum() > len(MISLABELLED) / 2
