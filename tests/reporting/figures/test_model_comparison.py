"""The comparison of models says each accuracy with its interval, the best on top."""

import numpy as np
from figure_texts import texts, unreadable
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.evaluation import measure
from experiments.models import MODELS
from experiments.reporting.figure_parts.layout import Interval
from experiments.reporting.figure_parts.style import network_color
from experiments.reporting.figures.model_comparison import model_comparison
from experiments.reporting.recorded.evaluation import accuracy_interval

LABELS = np.arange(200) % 10


def with_mistakes(mistakes: int) -> NDArray[np.float64]:
    return np.eye(10)[(LABELS + (np.arange(len(LABELS)) < mistakes)) % 10]


def comparison(**mistakes: int) -> dict[str, Interval]:
    return {name: accuracy_interval(measure(LABELS, with_mistakes(count))) for name, count in mistakes.items()}


def names_from_the_top(figure: Figure) -> list[str]:
    labels = sorted(figure.axes[0].get_yticklabels(), key=lambda label: -label.get_position()[1])
    return [label.get_text().replace("\n", "") for label in labels]


def intervals(figure: Figure) -> list[ErrorbarContainer]:
    return [one for one in figure.axes[0].containers if isinstance(one, ErrorbarContainer)]


def test_the_best_model_is_on_top() -> None:
    assert names_from_the_top(model_comparison(comparison(mlp=20, cnn=2, lenet=9), "mnist")) == ["cnn", "lenet", "mlp"]


def test_each_row_says_and_draws_accuracy_and_wilson_interval() -> None:
    figure = model_comparison(comparison(mlp=20, cnn=2), "mnist")
    # By R 4's binom::binom.wilson(c(180, 198), 200).
    assert {"90.00  [85.06, 93.43]", "99.00  [96.43, 99.73]"} <= set(texts(figure))
    for one, expected in zip(intervals(figure), [(85.06, 90, 93.43), (96.43, 99, 99.73)], strict=True):
        (start, end), (value,) = one.lines[2][0].get_segments()[0][:, 0], np.asarray(one.lines[0].get_xdata())
        np.testing.assert_allclose((start, value, end), expected, atol=0.005)


def test_each_network_has_its_color_whatever_its_rank() -> None:
    for figure in (
        model_comparison(comparison(mlp=20, cnn=2), "mnist"),
        model_comparison(comparison(mlp=2, cnn=20, lenet=4), "mnist"),
    ):
        drawn = [one.lines[0].get_color() for one in intervals(figure)]
        assert drawn[::-1] == [network_color(name) for name in names_from_the_top(figure)]


def test_one_network_has_one_row() -> None:
    figure = model_comparison(comparison(cnn=0), "mnist")
    assert names_from_the_top(figure) == ["cnn"]
    assert "100.00  [98.12, 100.00]" in texts(figure)
    assert unreadable(figure) == []


def test_sixteen_networks_have_rows_that_can_be_read() -> None:
    names = [*MODELS, "usps-lenet"]
    figure = model_comparison(comparison(**{name: rank for rank, name in enumerate(names)}), "mnist")
    assert names_from_the_top(figure) == names
    assert unreadable(figure) == []


def test_a_very_long_name_is_shown_in_full_and_leaves_room_for_the_intervals() -> None:
    name = "/home/someone/projects/handwriting/models/2026/lenet-trained-on-everything.keras"
    figure = model_comparison(comparison(**{name: 3, "cnn": 2}), "mnist")
    assert names_from_the_top(figure) == ["cnn", name]
    assert figure.axes[0].get_position().width > 0.5
