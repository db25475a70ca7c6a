"""What the training of the network for pictures adds: digits of a second dataset, and settings to read with."""

import numpy as np
import pytest
from scipy.special import logsumexp

from experiments import datasets
from experiments.datasets import Dataset
from experiments.execution import Progress
from experiments.inference.network import Network
from experiments.models import MODELS, Recipe, trained_by
from experiments.models.onnx_export import to_onnx
from experiments.training import augmented
from experiments.workflows.suite.profiles import PROFILES
from experiments.workflows.train.calibration import reading_settings
from experiments.workflows.train.many import AllOptions
from experiments.workflows.train.run import TrainOptions, load_splits


def test_digits_of_further_datasets_are_added_and_split_in_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    uci, other = datasets.load("uci"), datasets.load("uci-deskewed")
    loaded: list[str] = []

    def load(name: str, *_: object) -> Dataset:
        loaded.append(name)
        return other if name == "usps" else uci

    monkeypatch.setattr("experiments.workflows.train.run.datasets.load", load)
    data, also, train, validation = load_splits(TrainOptions("reader", "uci"), Progress())
    assert (data, also) == (uci, [other])
    assert loaded == ["uci", "usps"]
    parts = [datasets.split_validation(one.train, 0.1) for one in (uci, other)]
    for split, both in zip((train, validation), zip(*parts, strict=True), strict=True):
        np.testing.assert_array_equal(split.images, np.concatenate([one.images for one in both]))
        np.testing.assert_array_equal(split.labels, np.concatenate([one.labels for one in both]))
    loaded.clear()
    limited = load_splits(TrainOptions("reader", "usps", limit=100), Progress())
    assert loaded == ["usps"]
    assert [len(limited[2]), len(limited[3])] == [100, len(parts[1][1].labels)]


def test_one_per_cent_of_the_augmented_validation_digits_are_rejected() -> None:
    model = MODELS["lenet"].build(MODELS["lenet"].recipe)
    validation = datasets.split_validation(datasets.load("uci").train, 0.5)[1]
    recipe = Recipe(effects="stroke,contrast")
    settings = reading_settings(model, recipe, validation, "here")
    images, _ = augmented(validation, recipe)
    scores = logsumexp(Network(to_onnx(model)).scores(images).logits, axis=1)
    assert (scores < settings.min_score).mean() == pytest.approx(0.01, abs=2 / len(scores))
    assert settings.source == "here"
    assert 0.05 <= settings.temperature <= 20
    assert reading_settings(model, Recipe(), validation, "").min_score != settings.min_score


def test_the_reader_is_trained_by_its_own_profile_alone() -> None:
    profile = PROFILES["reader"]
    assert trained_by("reader") == ("reader",)
    assert [(one.model, one.dataset) for one in profile.trainings] == [("reader", "mnist")]
    assert [(one.source, one.targets) for one in profile.transfers] == [("mnist", ("usps", "mnist-c"))]
    assert "reader" not in AllOptions("mnist").networks
    assert not {"reader"} & {one.model for name in PROFILES if name != "reader" for one in PROFILES[name].trainings}
    reader = MODELS["reader"]
    assert reader.also == ("usps",)
    assert (reader.recipe.effects, reader.recipe.outsiders > 0) == ("all", True)
