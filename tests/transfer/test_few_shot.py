"""Few-shot learning: nested draws, the recipe of the training, and the initial weights."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from small_networks import NORMED, RECIPE, accuracy, faded, noise, trained, uci

from experiments.datasets import Split
from experiments.models import MODELS, Recipe
from experiments.transfer import few_shot
from experiments.transfer.few_shot import draw, learn

PERCEPTRON = MODELS["mlp_small"]
PLAIN = Recipe(precision="float32", network={"units_1": 16})


def numbered(labels: list[int]) -> Split:
    """Return digits that carry their own index in the first two pixels."""
    images = np.zeros((len(labels), 28, 28), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.divmod(np.arange(len(labels)), 256)
    return Split(images, np.array(labels, np.int64))


def indices(split: Split) -> list[int]:
    return [int(high) * 256 + int(low) for high, low in split.images[:, 0, :2]]


@given(st.lists(st.integers(0, 9), max_size=300), st.integers(1, 20), st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_draws_are_so_many_of_each_class_and_contain_each_other(
    labels: list[int], k: int, more: int, seed: int
) -> None:
    split = numbered(labels)
    few, larger = draw(split, k, seed), draw(split, k + more, seed)
    assert np.bincount(few.labels, minlength=10).tolist() == [min(k, labels.count(digit)) for digit in range(10)]
    assert set(indices(few)) <= set(indices(larger)) <= set(range(len(labels)))
    assert len(set(indices(few))) == len(few)
    np.testing.assert_array_equal(few.labels, np.array(labels, np.int64)[indices(few)])
    assert indices(draw(split, k, seed)) == indices(few)


def test_without_a_number_all_are_drawn_and_another_seed_draws_others() -> None:
    split = numbered([0, 1, 2] * 100)
    assert indices(draw(split, None, 0)) == list(range(300))
    assert indices(draw(split, 5, 0)) != indices(draw(split, 5, 1))


def test_every_digit_is_drawn_as_often_as_any_other() -> None:
    split = numbered([0] * 10 + [1] * 10)
    times = np.bincount([i for seed in range(400) for i in indices(draw(split, 5, seed))], minlength=20)
    assert abs(times - 200).max() < 5 * np.sqrt(400 * 0.25)


Call = tuple[Recipe, Split, Split, Any]


def calls(monkeypatch: pytest.MonkeyPatch, *args: Any, train: bool = True) -> tuple[Call, Call]:
    """Run `learn` and return recipe, training images, validation images and model of both fits; fine-tuning first."""
    found: list[Call] = []
    original = few_shot.fit  # type: ignore[attr-defined]

    def fit(architecture: Any, recipe: Recipe, images: Split, validation: Split) -> Any:
        built = type("Fit", (), {"model": architecture.build(recipe)})
        fitted: Any = original(architecture, recipe, images, validation) if train else built
        found.append((recipe, images, validation, fitted.model))
        return fitted

    monkeypatch.setattr(few_shot, "fit", fit)
    learn(*args)
    monkeypatch.setattr(few_shot, "fit", original)
    tuned, scratch = found
    return tuned, scratch


def weights(seed: int = 0) -> list[NDArray[Any]]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=each.shape) for each in PERCEPTRON.build(PLAIN).get_weights()]


@pytest.mark.parametrize(
    ("n", "batch", "steps"), [(1, 1, 60), (10, 10, 60), (31, 31, 60), (100, 32, 63), (1921, 32, 61)]
)
def test_few_images_are_seen_in_at_least_sixty_steps(
    monkeypatch: pytest.MonkeyPatch, n: int, batch: int, steps: int
) -> None:
    few = numbered([i % 10 for i in range(n)])
    for recipe, train, validation, _ in calls(monkeypatch, PERCEPTRON, PLAIN, weights(), few, few, 4, train=False):
        assert recipe.batch_size == batch
        assert -(-len(train) // batch) == steps
        assert set(np.bincount(indices(train))) == {len(train) // n}
        assert indices(validation) == list(range(n))


def test_the_recipe_is_that_of_the_network_but_short(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {"rotation": 7, "dropout": 0.2, "optimizer": "sgd", "patience": 3, "schedule": "one-cycle"}
    few = numbered([1, 2, 3])
    both = calls(monkeypatch, PERCEPTRON, PLAIN.override(changes), weights(), few, few, 4, train=False)
    tuned, scratch = (call[0] for call in both)
    for recipe in (scratch, tuned):
        assert (recipe.epochs, recipe.optimizer, recipe.schedule, recipe.patience) == (5, "adam", "cosine", 0)
        assert (recipe.rotation, recipe.dropout, recipe.seed, recipe.network) == (7, 0.2, 4, PLAIN.network)
    assert (scratch.learning_rate, tuned.learning_rate) == (1e-3, 3e-4)


def test_fine_tuning_starts_from_the_given_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(few_shot, "STEPS", 2)
    monkeypatch.setattr(few_shot, "FINE_TUNING_RATE", 1e-30)
    monkeypatch.setattr(few_shot, "SCRATCH_RATE", 1e-30)
    start, expected = weights(), weights()
    few = Split(noise(4), np.arange(4))
    runs = [calls(monkeypatch, PERCEPTRON, PLAIN, start, few, few, seed) for seed in (0, 1)]
    for weight, given_weight in zip(runs[0][0][3].get_weights(), expected, strict=True):
        np.testing.assert_array_equal(weight, given_weight.astype(np.float32))
    first, second = (scratch[3].get_weights()[0] for _, scratch in runs)
    assert (first != second).any()
    assert (first != start[0]).any()
    for weight, given_weight in zip(start, expected, strict=True):
        np.testing.assert_array_equal(weight, given_weight)


@pytest.mark.slow
def test_few_grey_images_teach_a_trained_network_more_than_an_untrained_one(monkeypatch: pytest.MonkeyPatch) -> None:
    digits, start = uci(), trained().get_weights()
    grey = Split(faded(digits.images), digits.labels)
    few = draw(grey, 3, 0)
    tuned, scratch = learn(NORMED, RECIPE, start, few, grey, 0)["accuracies"]
    assert tuned > accuracy(trained(), grey.images, grey.labels) + 0.1
    assert tuned > scratch
    models = [calls(monkeypatch, NORMED, RECIPE, start, few, grey, 0)[0][3] for _ in range(2)]
    assert accuracy(models[0], grey.images, grey.labels) == pytest.approx(tuned)
    for one, other in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(one, other)


def test_missing_classes_are_no_obstacle() -> None:
    few = Split(noise(3), np.array([7, 7, 7]))
    assert learn(PERCEPTRON, PLAIN, weights(), few, few, 0)["accuracies"][1] == 1
