"""Curves show what was recorded, and mark the best epoch."""

import numpy as np
import pytest
from figure_texts import texts
from random_predictions import history

from experiments.reporting.figures.training_curves import training_curves


@pytest.mark.parametrize("epochs", [1, 2, 30])
def test_each_series_is_drawn_against_epochs_from_1(epochs: int) -> None:
    record = history(epochs)
    loss, accuracy, rate = training_curves(record, "lenet on mnist").axes
    expected = [
        (loss.lines[0], "loss"),
        (loss.lines[1], "val_loss"),
        (accuracy.lines[0], "accuracy"),
        (accuracy.lines[1], "val_accuracy"),
        (rate.lines[0], "learning_rate"),
    ]
    for line, name in expected:
        np.testing.assert_array_equal(line.get_xdata(), np.arange(1, epochs + 1))
        np.testing.assert_array_equal(line.get_ydata(), record[name])


def test_training_and_validation_have_the_same_colors_in_both_panels() -> None:
    loss, accuracy, _ = training_curves(history(3), "lenet on mnist").axes
    colors = [[line.get_color() for line in axes.lines[:2]] for axes in (loss, accuracy)]
    assert colors[0] == colors[1]
    assert len(set(colors[0])) == 2


def test_the_best_epoch_is_the_first_of_lowest_validation_loss() -> None:
    record = {**history(4), "val_loss": [0.5, 0.2, 0.2, 0.3], "val_accuracy": [0.7, 0.91, 0.92, 0.93]}
    figure = training_curves(record, "lenet on mnist")
    assert {"loss (nats), 0.2000 in validation at epoch 2", "accuracy, 0.9100 in validation at epoch 2"} <= set(
        texts(figure)
    )
    for axes in figure.axes[:2]:
        assert set(np.asarray(axes.lines[2].get_xdata())) == {2}


@pytest.mark.parametrize(("epochs", "expected"), [(1, "lenet, 1 epoch in 2 s"), (3, "lenet, 3 epochs in 6 s")])
def test_the_title_says_how_many_epochs_took_how_long(epochs: int, expected: str) -> None:
    assert training_curves(history(epochs), "lenet").get_suptitle() == expected


@pytest.mark.parametrize("epochs", [1, 2, 7, 100])
def test_epochs_are_whole_numbers_on_the_axis(epochs: int) -> None:
    for axes in training_curves(history(epochs), "lenet").axes:
        low, high = axes.get_xlim()
        ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
        assert ticks
        assert all(tick == int(tick) for tick in ticks)


def test_a_constant_learning_rate_is_a_line_above_0() -> None:
    rate = training_curves({**history(3), "learning_rate": [0.001] * 3}, "lenet").axes[2]
    assert rate.get_ylim()[0] == 0
    assert rate.get_ylim()[1] > 0.001
