"""Images that show no digit: how many, which, and what a network learns from them."""

from itertools import islice
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from printed_digits import printed_digits

from experiments.datasets import Split, concatenate
from experiments.errors import UsageError
from experiments.models import Recipe, architecture
from experiments.training import array_pipeline, augmented, check_feasible, tensorflow_pipeline
from experiments.training.letters import STROKES
from experiments.training.outsiders import OUTSIDE, outsiders, with_outsiders

DIGITS = printed_digits()
NOISY: dict[str, Any] = {"effects": "stroke,noise"}
MANY = concatenate([printed_digits(48, width) for width in (0.7, 0.8, 0.9, 1.0, 1.1)])


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (0.1, 5), (0.5, 25), (1.0, 50)])
def test_outsiders_are_added_as_a_share_of_the_digits(share: float, count: int) -> None:
    together = with_outsiders(MANY, Recipe(outsiders=share))
    np.testing.assert_array_equal(together.images[:50], MANY.images)
    np.testing.assert_array_equal(together.labels[:50], MANY.labels)
    assert (together.labels == OUTSIDE).sum() == count
    assert len(together) - 50 - count <= 2 * count  # whole digits of the rows that the wrong segments are from


def test_the_seed_decides() -> None:
    images = outsiders(DIGITS, 30, seed=1)
    np.testing.assert_array_equal(outsiders(DIGITS, 30, seed=1), images)
    np.testing.assert_array_equal(outsiders(DIGITS, 12, seed=1), images[:12])
    assert not np.array_equal(outsiders(DIGITS, 30, seed=2), images)


def test_most_are_ink_in_mnist_s_form_and_few_are_nearly_blank() -> None:
    images = outsiders(DIGITS, 600, seed=0)
    ink = images.mean(axis=(1, 2)) / 255
    nearly_blank = ink < 0.02
    assert 0.005 < nearly_blank.mean() < 0.06
    sides = np.stack([(images.max(axis=axis) > 0).sum(axis=1) for axis in (1, 2)]).max(axis=0)
    assert (sides[~nearly_blank] >= 19).mean() > 0.9
    assert len(np.unique(images[~nearly_blank], axis=0)) > 0.8 * (~nearly_blank).sum()
    same = [np.abs(DIGITS.images.astype(int) - image).max() < 40 for image in images]
    assert sum(same) == 0


def test_letters_are_drawn_within_their_frame() -> None:
    points = [point for strokes in STROKES.values() for stroke in strokes.split("|") for point in stroke.split()]
    assert {len(point) for point in points} == {2}
    assert {point[0] for point in points} <= set("01234")
    assert {point[1] for point in points} <= set("0123456")
    assert not set("BDIOSZbgiloqsz") & set(STROKES)


@pytest.mark.parametrize("pipeline", [tensorflow_pipeline, array_pipeline], ids=lambda one: one.__name__.split(".")[-1])
def test_the_target_of_outsiders_is_uniform(pipeline: ModuleType) -> None:
    recipe = Recipe(batch_size=20)
    split = concatenate([MANY, Split(outsiders(MANY, 10, seed=0), np.full(10, OUTSIDE))])
    streams: list[Any] = [islice(iter(pipeline.training_batches(split, recipe, 0)), 3)]
    streams += [] if pipeline is tensorflow_pipeline else [iter([pipeline.validation_batches(split)[0]])]
    for stream in streams:
        targets = np.concatenate([np.asarray(batch[1]) for batch in stream])
        uniform = targets.max(axis=1) < 0.5
        assert targets.shape == (60, 10)
        np.testing.assert_allclose(targets[uniform], np.full((10, 10), 0.1), atol=1e-6)
        np.testing.assert_array_equal(targets[~uniform].sum(axis=0), np.full(10, 5))
        np.testing.assert_array_equal(np.unique(targets[~uniform]), [0, 1])


@pytest.mark.parametrize("pipeline", [tensorflow_pipeline, array_pipeline], ids=lambda one: one.__name__.split(".")[-1])
def test_effects_are_part_of_both_pipelines_and_augmentation_is_their_strength(pipeline: ModuleType) -> None:
    def images(**settings: Any) -> Any:
        recipe = Recipe(batch_size=50, **settings)
        return np.asarray(next(iter(pipeline.training_batches(MANY, recipe, 0)))[0])

    plain, changed, off = (images(**settings) for settings in ({}, NOISY, NOISY | {"augmentation": 0}))
    np.testing.assert_array_equal(off, plain)
    np.testing.assert_array_equal(images(**NOISY), changed)
    distances = [np.abs(images(effects="stroke", augmentation=strength) - plain).mean() for strength in (0.2, 0.5, 1.0)]
    assert 0 < distances[0] < distances[1] < distances[2]
    assert 0 <= changed.min() < changed.max() <= 1
    assert np.abs(changed - plain).mean() > 0.02


def test_augmented_is_each_image_once_as_a_training_would_see_it() -> None:
    recipe = Recipe(batch_size=7, effects="warp,noise", outsiders=0.2, seed=3)
    images, labels = augmented(MANY, recipe)
    assert images.dtype == np.float32
    assert images.shape == (50, 28, 28, 1)
    assert sorted(labels.tolist()) == sorted(MANY.labels.tolist())
    plain, numbers = augmented(MANY, Recipe(batch_size=7))
    order = np.lexsort(plain.reshape(50, -1).T)
    wanted = np.lexsort(MANY.as_float().reshape(50, -1).T)
    np.testing.assert_array_equal(plain[order], MANY.as_float()[wanted])
    np.testing.assert_array_equal(numbers[order], MANY.labels[wanted])
    np.testing.assert_array_equal(augmented(MANY, recipe)[0], images)
    assert len(augmented(MANY.take([3]), recipe)[1]) == 1


def test_an_unknown_effect_is_found_out_before_a_training() -> None:
    lenet = architecture("lenet")
    with pytest.raises(UsageError, match="'sepia'"):
        check_feasible(lenet, lenet.recipe.override({"effects": "sepia", "batch_size": 5}), DIGITS)
    check_feasible(lenet, lenet.recipe.override({"effects": "all", "batch_size": 5}), DIGITS)
