"""Draws that contain each other, and steps that begin where they are told to."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_networks import NORMED, RECIPE, accuracy, faded, noise, trained, uci

from experiments.datasets import Split
from experiments.models import MODELS, Recipe
from experiments.transfer import draw, few_shot, learn

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


def asked(monkeypatch: pytest.MonkeyPatch, few: Split, start: Any) -> tuple[Recipe, Split, Split]:
    """Return what `fit` is called with in place of a training."""
    calls: list[tuple[Recipe, Split, Split]] = []

    def fit(architecture: Any, recipe: Recipe, train: Split, validation: Split) -> Any:
        calls.append((recipe, train, validation))
        return type("Fit", (), {"model": architecture.build(recipe)})

    monkeypatch.setattr(few_shot, "fit", fit)
    recipe = PLAIN.override({"rotation": 7, "dropout": 0.2, "optimizer": "sgd", "patience": 3, "schedule": "one-cycle"})
    learn(PERCEPTRON, recipe, few, start, seed=4)
    return calls[0]


@pytest.mark.parametrize(
    ("n", "batch", "steps"), [(1, 1, 60), (10, 10, 60), (31, 31, 60), (100, 32, 63), (1921, 32, 61)]
)
def test_few_digits_are_seen_in_sixty_steps_at_least(
    monkeypatch: pytest.MonkeyPatch, n: int, batch: int, steps: int
) -> None:
    few = numbered([i % 10 for i in range(n)])
    recipe, train, validation = asked(monkeypatch, few, None)
    assert recipe.batch_size == batch
    assert -(-len(train) // batch) == steps
    assert set(np.bincount(indices(train))) == {len(train) // n}
    assert indices(validation) == list(range(n))


def test_it_trains_in_the_network_s_own_way_for_a_short_time(monkeypatch: pytest.MonkeyPatch) -> None:
    few, weights = numbered([1, 2, 3]), PERCEPTRON.build(PLAIN).get_weights()
    scratch, tuned = asked(monkeypatch, few, None)[0], asked(monkeypatch, few, weights)[0]
    for recipe in (scratch, tuned):
        assert (recipe.epochs, recipe.optimizer, recipe.schedule, recipe.patience) == (5, "adam", "cosine", 0)
        assert (recipe.rotation, recipe.dropout, recipe.seed, recipe.network) == (7, 0.2, 4, PLAIN.network)
    assert (scratch.learning_rate, tuned.learning_rate) == (1e-3, 3e-4)


def test_fine_tuning_begins_with_the_weights_that_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(few_shot, "STEPS", 2)
    monkeypatch.setattr(few_shot, "FINE_TUNING_RATE", 1e-30)
    monkeypatch.setattr(few_shot, "SCRATCH_RATE", 1e-30)
    start = [np.random.default_rng(0).normal(size=w.shape) for w in PERCEPTRON.build(PLAIN).get_weights()]
    few = Split(noise(4), np.arange(4))
    kept = [weight.copy() for weight in start]
    for weight, begun in zip(learn(PERCEPTRON, PLAIN, few, start, 0).get_weights(), kept, strict=True):
        np.testing.assert_array_equal(weight, begun.astype(np.float32))
    scratch = [learn(PERCEPTRON, PLAIN, few, None, seed).get_weights()[0] for seed in (0, 1)]
    assert (scratch[0] != scratch[1]).any()
    assert (scratch[0] != start[0]).any()
    for weight, given_weight in zip(start, kept, strict=True):
        np.testing.assert_array_equal(weight, given_weight)


@pytest.mark.slow
def test_few_grey_digits_teach_a_trained_network_more_than_an_untrained_one() -> None:
    digits, weights = uci(), trained().get_weights()
    grey = Split(faded(digits.images), digits.labels)
    few = draw(grey, 3, 0)
    tuned, scratch = (learn(NORMED, RECIPE, few, start, 0) for start in (weights, None))
    zero = accuracy(trained(), grey.images, grey.labels)
    assert accuracy(tuned, grey.images, grey.labels) > zero + 0.1
    assert accuracy(tuned, grey.images, grey.labels) > accuracy(scratch, grey.images, grey.labels)
    again = learn(NORMED, RECIPE, few, weights, 0)
    for one, other in zip(tuned.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_classes_that_are_missing_are_no_hindrance() -> None:
    few = Split(noise(3), np.array([7, 7, 7]))
    model = learn(PERCEPTRON, PLAIN, few, None, 0)
    assert accuracy(model, few.images, few.labels) == 1
