from itertools import islice
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from experiments.datasets import Split
from experiments.models import Recipe
from experiments.training.batches import steps_per_epoch
from experiments.training.pipeline import training_batches, validation_batches

Batch = tuple[NDArray[np.float32], NDArray[np.float32]]


def numbered(n: int) -> Split:
    """Return digits that carry their own index in the first two pixels."""
    images = np.random.default_rng(n).integers(0, 256, (n, 28, 28), dtype=np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.divmod(np.arange(n), 256)
    return Split(images, np.arange(n) * 7 % 10)


def first_epochs(split: Split, recipe: Recipe, epochs: int, first_epoch: int = 0) -> list[list[Batch]]:
    """Return the batches of some epochs, epoch by epoch."""
    stream = iter(training_batches(split, recipe, first_epoch))
    steps = steps_per_epoch(split, recipe)
    return [[as_arrays(batch) for batch in islice(stream, steps)] for _ in range(epochs)]


def as_arrays(batch: Any) -> Batch:
    images, labels = (np.asarray(part) for part in batch)
    return images, labels


def joined(batches: list[Batch]) -> Batch:
    images, labels = zip(*batches, strict=True)
    return np.concatenate(images), np.concatenate(labels)


def order(batches: list[Batch]) -> list[int]:
    pixels = np.rint(joined(batches)[0][:, 0, :2, 0] * 255).astype(int)
    return list(pixels[:, 0] * 256 + pixels[:, 1])


@settings(max_examples=10)
@given(n=st.integers(1, 300), batch_size=st.integers(1, 320), seed=st.integers(0, 2**31 - 1))
@example(n=100, batch_size=32, seed=0)
@example(n=96, batch_size=32, seed=0)
def test_an_epoch_is_every_image_once_with_its_label_and_its_last_batch_takes_what_is_left(
    n: int, batch_size: int, seed: int
) -> None:
    split, recipe = numbered(n), Recipe(batch_size=batch_size, seed=seed)
    sizes = [min(batch_size, n - start) for start in range(0, n, batch_size)]
    assert steps_per_epoch(split, recipe) == len(sizes)
    for epoch in first_epochs(split, recipe, epochs=2):
        assert [len(images) for images, _ in epoch] == sizes
        indices = order(epoch)
        assert sorted(indices) == list(range(n))
        images, labels = joined(epoch)
        np.testing.assert_array_equal(images, split.as_float()[indices])
        np.testing.assert_array_equal(labels, np.eye(10)[split.labels[indices]])
        assert images.dtype == labels.dtype == np.float32


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    split = numbered(200)
    plain = [order(epoch) for epoch in first_epochs(split, Recipe(batch_size=32), epochs=3)]
    other_batches = Recipe(batch_size=7, learning_rate=1, dropout=0.5, epochs=3)
    assert [order(epoch) for epoch in first_epochs(split, other_batches, epochs=3)] == plain
    other_seed = [order(epoch) for epoch in first_epochs(split, Recipe(batch_size=32, seed=1), epochs=3)]
    assert len({tuple(indices) for indices in plain + other_seed}) == 6


@pytest.mark.parametrize("augmentation", [{}, {"rotation": 10.0, "zoom": 0.1, "shift": 0.1}])
@pytest.mark.parametrize("first_epoch", [1, 3])
def test_a_stream_taken_up_later_is_the_undisturbed_one(augmentation: dict[str, Any], first_epoch: int) -> None:
    split, recipe = numbered(50), Recipe(batch_size=16, seed=5, **augmentation)
    undisturbed = first_epochs(split, recipe, epochs=5)[first_epoch:]
    taken_up = first_epochs(split, recipe, epochs=5 - first_epoch, first_epoch=first_epoch)
    for one, other in zip(undisturbed, taken_up, strict=True):
        for expected, batch in zip(joined(one), joined(other), strict=True):
            np.testing.assert_array_equal(batch, expected)


def test_an_image_is_warped_anew_in_every_epoch_and_with_every_seed_within_its_scale() -> None:
    warps = [Recipe(batch_size=1, rotation=10, zoom=0.1, shift=0.1, seed=seed) for seed in (0, 1)]
    epochs = [epoch for recipe in warps for epoch in first_epochs(numbered(1), recipe, epochs=20)]
    images = np.concatenate([joined(epoch)[0] for epoch in epochs])
    assert len({image.tobytes() for image in images}) == 40
    assert images.min() >= 0
    assert 0.5 < images.max() <= 1


def test_validation_is_every_image_once_in_order() -> None:
    split = numbered(2500)
    for _ in range(2):
        batches = [as_arrays(batch) for batch in iter(validation_batches(split))]
        images, labels = joined(batches)
        np.testing.assert_array_equal(images, split.as_float())
        np.testing.assert_array_equal(labels, np.eye(10)[split.labels])
        assert len(batches) == 3
