"""Training digits are judged by networks that have not learned from them."""

import sys

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from experiments import datasets
from experiments.analysis.held_out import held_out, recipe_for
from experiments.datasets import Split
from experiments.models import MODELS, Architecture, Recipe
from experiments.training import Fit


@pytest.fixture(scope="module")
def digits() -> Split:
    return datasets.sample(datasets.load("uci").train, 180)


class Folds:
    """Stands for training: remembers what was learned, and gives networks that say which of them they are."""

    def __init__(self) -> None:
        self.learned: list[set[bytes]] = []
        self.recipes: list[Recipe] = []

    def __call__(self, architecture: Architecture, recipe: Recipe, train: Split, _: Split) -> Fit:
        assert architecture.name == "fast"
        pixels = keras.Input((28, 28, 1))
        features = keras.layers.Dense(8, name="penultimate")(keras.layers.Flatten()(pixels))
        bias = keras.initializers.Constant(5.0 * np.eye(10)[len(self.learned) % 3])
        says = keras.layers.Dense(10, "softmax", kernel_initializer="zeros", bias_initializer=bias)
        model = keras.Model(pixels, says(features))
        self.learned.append({image.tobytes() for image in train.images})
        self.recipes.append(recipe)
        return Fit(model, ())


@pytest.fixture
def folds(monkeypatch: pytest.MonkeyPatch) -> Folds:
    folds = Folds()
    monkeypatch.setattr("experiments.training.fit", folds)
    return folds


def test_no_digit_is_judged_by_a_network_that_has_learned_it(digits: Split, folds: Folds) -> None:
    reported: list[tuple[int, int]] = []
    found = held_out(digits, lambda *fold: reported.append(fold))
    judges = found.probabilities.argmax(axis=1)
    assert reported == [(1, 3), (2, 3), (3, 3)]
    assert np.bincount(judges).tolist() == [60, 60, 60]
    for image, judge in zip(digits.images, judges, strict=True):
        knows = [image.tobytes() in learned for learned in folds.learned]
        assert knows == [fold != judge for fold in range(3)]
    held_out(digits)
    assert folds.learned[3:] == folds.learned[:3]


def test_a_digit_is_compared_with_what_its_judge_has_learned(digits: Split, folds: Folds) -> None:
    found = held_out(digits)
    judges = found.probabilities.argmax(axis=1)
    for who, distances, same in ((found.own, found.own_distances, True), (found.other, found.other_distances, False)):
        assert ((digits.labels[who] == digits.labels[:, None]) == same).all()
        assert (judges[who] != judges[:, None]).all()
        assert (np.diff(distances, axis=1) >= 0).all()
        assert np.isfinite(distances).all()
    assert len(folds.learned) == 3


def relabelled(digits: Split, labels: NDArray[np.int64]) -> Split:
    return Split(digits.images, labels.astype(np.int64))


def test_a_digit_alone_in_its_class_has_no_own_neighbour(digits: Split, folds: Folds) -> None:
    labels = digits.labels % 2
    labels[11] = 7
    found = held_out(relabelled(digits, labels))
    assert found.own[11].tolist() == [-1] * 3
    assert found.ratio[11] == np.inf
    assert (np.delete(found.own, 11, axis=0) >= 0).all()
    assert len(folds.learned) == 3


def test_digits_of_one_class_have_no_others(digits: Split, folds: Folds) -> None:
    found = held_out(relabelled(digits, np.full(len(digits), 3)))
    assert (found.other == -1).all()
    assert (found.ratio == 0).all()
    assert len(folds.learned) == 3


def test_thirty_digits_are_enough(digits: Split, folds: Folds) -> None:
    found = held_out(digits.take(np.arange(30)))
    assert found.probabilities.shape == (30, 10)
    assert [recipe.batch_size for recipe in folds.recipes] == [16] * 3


@pytest.mark.slow
def test_wrong_labels_are_not_believed(digits: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = np.arange(len(digits)) % 10 == 0
    labels = np.where(wrong, (digits.labels + 1) % 10, digits.labels)
    monkeypatch.setattr(sys.modules["experiments.analysis.held_out"], "LEAST_UPDATES", 100)
    found = held_out(relabelled(digits, labels))
    said = found.probabilities[np.arange(len(digits)), labels]
    assert np.median(said[wrong]) < 0.1
    assert np.median(said[~wrong]) > 0.7
    assert np.median(found.ratio[wrong]) > 1 > np.median(found.ratio[~wrong])
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, rtol=1e-5)


@given(st.integers(20, 60_000), st.integers(0, 60_000))
def test_few_digits_are_learned_in_small_batches_and_enough_updates(n: int, more: int) -> None:
    recipe = recipe_for(n)
    assert 1 <= recipe.batch_size <= recipe_for(n + more).batch_size <= MODELS["fast"].recipe.batch_size
    assert recipe.batch_size <= n
    updates = recipe.epochs * (n // recipe.batch_size)
    assert (400 if recipe.epochs > 1 else 100) <= updates < 600
    assert recipe_for(40_000 + more) == MODELS["fast"].recipe
