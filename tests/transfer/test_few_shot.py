"""Few-shot learning: nested draws, the recipe of the training, and the initial weights."""

from typing import Any

import numpy as np
import pytest
from fake_fit import FakeFit
from hypothesis import given
from hypothesis import strategies as st
from numbered_digits import indices, numbered
from numpy.typing import NDArray
from small_networks import NORMED, RECIPE, accuracy, faded, noise, trained, uci

from experiments.datasets import Split
from experiments.models import MODELS, Architecture, Recipe
from experiments.training import Fit
from experiments.transfer import few_shot
from experiments.transfer.few_shot import draw, learn

PERCEPTRON = MODELS["mlp_small"]
PLAIN = Recipe(precision="float32", network={"units_1": 16})
FEW = Split(noise(3), np.array([1, 2, 3]))


@given(st.lists(st.integers(0, 9), max_size=300), st.integers(1, 20), st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_draws_have_so_many_of_each_class_and_are_nested(labels: list[int], k: int, more: int, seed: int) -> None:
    split = numbered(labels)
    few, larger = draw(split, k, seed), draw(split, k + more, seed)
    assert np.bincount(few.labels, minlength=10).tolist() == [min(k, labels.count(digit)) for digit in range(10)]
    assert set(indices(few)) <= set(indices(larger)) <= set(range(len(labels)))
    assert len(set(indices(few))) == len(few)
    np.testing.assert_array_equal(few.labels, np.array(labels, np.int64)[indices(few)])
    assert indices(draw(split, k, seed)) == indices(few)
    assert indices(draw(split, None, seed)) == list(range(len(labels)))


def test_every_image_is_drawn_as_often_as_any_other() -> None:
    split = numbered([0] * 10 + [1] * 10)
    times = np.bincount([i for seed in range(400) for i in indices(draw(split, 5, seed))], minlength=20)
    assert abs(times - 200).max() < 5 * np.sqrt(400 * 0.25)


class RecordedFit:
    """Trains nothing and keeps what it was given, and the initial weights of the network that it returned."""

    def __init__(self) -> None:
        self.calls: list[tuple[Recipe, Split, Split, list[NDArray[Any]]]] = []
        self._fake = FakeFit()

    def __call__(self, architecture: Architecture, recipe: Recipe, train: Split, validation: Split) -> Fit:
        found = self._fake(architecture, recipe, train, validation)
        self.calls.append((recipe, train, validation, found.model.get_weights()))
        return found


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> RecordedFit:
    fake = RecordedFit()
    monkeypatch.setattr(few_shot, "fit", fake)
    return fake


def weights() -> list[NDArray[Any]]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=each.shape).astype(np.float32) for each in PERCEPTRON.build(PLAIN).get_weights()]


@pytest.mark.parametrize(
    ("n", "batch", "steps"), [(1, 1, 60), (10, 10, 60), (31, 31, 60), (100, 32, 63), (1921, 32, 61)]
)
def test_few_images_are_seen_in_at_least_sixty_steps(recorded: RecordedFit, n: int, batch: int, steps: int) -> None:
    few = numbered([i % 10 for i in range(n)])
    learn(PERCEPTRON, PLAIN, weights(), few, few, 4)
    for recipe, train, validation, _ in recorded.calls:
        assert recipe.batch_size == batch
        assert -(-len(train) // batch) == steps
        assert set(np.bincount(indices(train))) == {len(train) // n}
        assert indices(validation) == list(range(n))


def test_the_recipe_is_that_of_the_network_but_short(recorded: RecordedFit) -> None:
    changes = {"rotation": 7, "dropout": 0.2, "optimizer": "sgd", "patience": 3, "schedule": "one-cycle"}
    learn(PERCEPTRON, PLAIN.override(changes), weights(), FEW, FEW, 4)
    recipes = [recipe for recipe, *_ in recorded.calls]
    for recipe in recipes:
        assert (recipe.epochs, recipe.optimizer, recipe.schedule, recipe.patience) == (5, "adam", "cosine", 0)
        assert (recipe.rotation, recipe.dropout, recipe.seed, recipe.network) == (7, 0.2, 4, PLAIN.network)
    assert [recipe.learning_rate for recipe in recipes] == [3e-4, 1e-3]  # fine-tuned, from scratch


def test_fine_tuning_starts_from_the_given_weights_and_training_from_those_of_the_seed(recorded: RecordedFit) -> None:
    start = weights()
    for seed in (0, 1):
        learn(PERCEPTRON, PLAIN, start, FEW, FEW, seed)
    tuned, first, _, second = (found for *_, found in recorded.calls)
    for weight, given_weight, expected in zip(tuned, start, weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)
        np.testing.assert_array_equal(given_weight, expected)
    assert (first[0] != second[0]).any()
    assert (first[0] != start[0]).any()


@pytest.mark.slow
def test_few_grey_images_teach_a_trained_network_more_than_an_untrained_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(few_shot, "STEPS", 15)
    model, digits = trained(), uci()
    grey = Split(faded(digits.images), digits.labels)
    tuned, scratch = learn(NORMED, RECIPE, model.get_weights(), draw(grey, 3, 0), grey, 0)["accuracies"]
    assert tuned > accuracy(model, grey.images, grey.labels) + 0.1
    assert tuned > scratch
