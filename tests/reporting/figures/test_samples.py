"""Sample digits have their labels, and bars their counts."""

import re

import numpy as np
import pytest
from figure_texts import texts
from matplotlib.colors import to_hex
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from random_predictions import random_predictions

from experiments.reporting.figures.samples import class_distribution, sample_grid


def heights(figure: Figure) -> list[list[float]]:
    series = [one for one in figure.axes[0].containers if isinstance(one, BarContainer)]
    return [[bar.get_height() for bar in one] for one in series]


@pytest.mark.parametrize(("n", "expected"), [(1, 1), (6, 6), (25, 25), (60, 25)])
def test_the_first_25_images_have_their_labels_above(n: int, expected: int) -> None:
    data = random_predictions(n)
    tiles = [axes for axes in sample_grid(data.images, data.labels, "mnist").axes if axes.images]
    assert [axes.get_title() for axes in tiles] == [str(label) for label in data.labels[:expected]]
    for axes, image in zip(tiles, data.images, strict=False):
        np.testing.assert_array_equal(np.asarray(axes.images[0].get_array()), image)


def test_a_grid_needs_neither_a_title_nor_images() -> None:
    data = random_predictions(0)
    assert texts(sample_grid(data.images, data.labels)) == ["no images"]


def test_images_of_another_shape_are_not_sampled() -> None:
    with pytest.raises(ValueError, match=re.escape("received (3, 16, 16)")):
        sample_grid(np.zeros((3, 16, 16), np.uint8), np.zeros(3, np.int64))


@pytest.mark.parametrize("splits", [("train",), ("train", "test"), ("train", "validation", "test")])
def test_each_split_has_a_bar_for_each_digit_and_its_total_in_the_legend(splits: tuple[str, ...]) -> None:
    counts = {split: np.random.default_rng(len(split)).integers(0, 7000, 10) for split in splits}
    figure = class_distribution(counts, "mnist")
    assert heights(figure) == [counts[split].tolist() for split in splits]
    said = texts(figure)
    assert {f"{split} ({counts[split].sum():,})" for split in splits} <= set(said)
    assert {f"{count:,}" for split in splits for count in counts[split]} <= set(said)


def test_splits_have_colors_that_stay_when_another_is_added() -> None:
    two, three = (
        [to_hex(one[0].get_facecolor()) for one in class_distribution(counts, "mnist").axes[0].containers]
        for counts in (dict.fromkeys(("train", "test"), np.ones(10)), dict.fromkeys("abc", np.ones(10)))
    )
    assert three[:2] == two
    assert len(set(three)) == 3


def test_a_digit_that_does_not_occur_has_a_0() -> None:
    figure = class_distribution({"train": np.array([5, 0, 3, 1, 1, 1, 2, 4, 9, 1])}, "own")
    assert figure.axes[0].texts[1].get_text() == "0"
    assert heights(figure)[0][1] == 0


@pytest.mark.parametrize("highest", [1, 2, 9])
def test_few_images_are_counted_in_whole_numbers(highest: int) -> None:
    axes = class_distribution({"train": np.full(10, highest)}, "own").axes[0]
    ticks = [label.get_text() for label in axes.get_yticklabels()]
    assert len(set(ticks)) == len(ticks)
    assert all(tick == int(tick) for tick in axes.get_yticks())
