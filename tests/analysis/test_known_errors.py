"""The ranking finds the test digits of MNIST that people have found to be labelled wrongly."""

from pathlib import Path

import numpy as np
import pytest

from experiments import analysis, datasets
from experiments.analysis.class_distances import class_distances
from experiments.analysis.clusters import kmeans
from experiments.analysis.confusing import cluster_disagreement, rank
from experiments.datasets import Split
from experiments.models import architecture
from experiments.training import fit

# Test digits whose label at most two of five people agreed with: mturk/mnist_mturk.json of cleanlab/label-errors
# (Northcutt, Athalye & Mueller, Pervasive label errors in test sets, 2021).
MISLABELLED = (947, 1621, 1901, 2130, 2462, 2597, 2654, 3520, 3558, 5937, 6651, 6783, 8527, 9679, 9729)


@pytest.mark.slow
@pytest.mark.real_data
def test_most_mislabelled_digits_are_among_the_first_hundred(data_dir: Path, tmp_path: Path) -> None:
    data = datasets.load("mnist", data_dir)
    fast = architecture("fast")
    train, validation = datasets.split_validation(data.train, fast.recipe.validation)
    extractor = analysis.feature_extractor(fit(fast, fast.recipe, train, validation).model, "fast")
    known = datasets.sample(data.train, 30_000)
    everything = Split(
        np.concatenate([known.images, data.test.images]), np.concatenate([known.labels, data.test.labels])
    )
    features, probabilities = analysis.extract(extractor, everything, tmp_path / "f.npy", tmp_path / "p.npy")
    points = analysis.reduce(features).points
    n = len(known)
    near = class_distances(points[n:], data.test.labels, points[:n], known.labels)
    clusters = kmeans(points, (10,)).groupings[10]
    strange = cluster_disagreement(everything.labels, [clusters])[n:]
    ranking = rank(near.ratio, data.test.labels, probabilities[n:], strange)
    assert np.isin(MISLABELLED, ranking.order[:100]).sum() > len(MISLABELLED) / 2
