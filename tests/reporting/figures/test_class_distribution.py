"""The bars of a class distribution have their counts."""

import numpy as np
import pytest
from figure_texts import texts
from matplotlib.colors import to_hex
from matplotlib.container import BarContainer
from matplotlib.figure import Figure

from experiments.reporting.figures.class_distribution import class_distribution


def heights(figure: Figure) -> list[list[float]]:
    series = [one for one in figure.axes[0].containers if isinstance(one, BarContainer)]
    return [[bar.get_height() for bar in one] for one in series]


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
        [
            to_hex(bars[0].get_facecolor())
            for bars in class_distribution(dict.fromkeys(splits, np.full(10, 1)), "mnist").axes[0].containers
        ]
        for splits in ("ab", "abc")
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
