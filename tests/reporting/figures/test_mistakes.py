"""Predictions and mistakes are shown with the right picture, label and probabilities."""

import re
from typing import Any

import numpy as np
import pytest
from figure_texts import texts
from matplotlib.axes import Axes
from matplotlib.colors import same_color
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from numpy.typing import NDArray
from random_predictions import Predictions, random_predictions

from experiments.evaluation import misclassified
from experiments.reporting.figures.mistakes import misclassified_gallery, prediction_grid


def tiles(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if axes.images]


def charts(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if axes.containers]


def shown(axes: Axes) -> NDArray[Any]:
    """Return how dark each pixel is drawn, from 0 to 1."""
    (image,) = axes.images
    pixels: Any = image.get_array()
    return np.asarray(image.norm(pixels), float)


def grid(predictions: Predictions) -> Figure:
    return prediction_grid(predictions.images, predictions.labels, predictions.probabilities, "mnist")


def gallery(predictions: Predictions) -> Figure:
    order = misclassified(predictions.labels, predictions.probabilities)
    return misclassified_gallery(predictions.images, predictions.labels, predictions.probabilities, order, "mnist")


class TestPredictionGrid:
    @pytest.mark.parametrize(("n", "expected"), [(1, 1), (7, 7), (25, 25), (40, 25)])
    def test_shows_the_first_25_images(self, n: int, expected: int) -> None:
        predictions = random_predictions(n)
        drawn = tiles(grid(predictions))
        assert len(drawn) == expected
        for axes, image in zip(drawn, predictions.images, strict=False):
            np.testing.assert_allclose(shown(axes), image / 255)

    def test_says_the_predicted_digit_and_its_probability(self) -> None:
        predictions = random_predictions(6)
        captions = [axes.get_title() for axes in tiles(grid(predictions))]
        assert captions == [
            f"{digit} ({row[digit]:.2f})"
            for digit, row in zip(predictions.labels, predictions.probabilities, strict=True)
        ]

    def test_marks_mistakes_with_a_cross_the_true_digit_and_a_frame(self) -> None:
        predictions = random_predictions(4, mistakes=1)
        *right, wrong = tiles(grid(predictions))
        digit, label = predictions.predicted[3], predictions.labels[3]
        assert wrong.get_title() == f"\N{BALLOT X} {digit} ({predictions.probabilities[3, digit]:.2f}), true {label}"
        assert {axes.spines["left"].get_linestyle() for axes in right} == {"solid"}
        assert wrong.spines["left"].get_linestyle() == "dashed"
        assert same_color(wrong.title.get_color(), wrong.spines["left"].get_edgecolor())

    def test_explains_the_numbers(self) -> None:
        assert any("predicted digit (its probability)" in text for text in texts(grid(random_predictions(3))))

    def test_says_that_there_are_no_images(self) -> None:
        figure = grid(random_predictions(0))
        assert tiles(figure) == []
        assert texts(figure) == ["no images", "mnist"]


class TestMisclassifiedGallery:
    def test_shows_each_mistake_with_its_picture_and_index_the_most_confident_first(self) -> None:
        predictions = random_predictions(40, mistakes=12)
        drawn = tiles(gallery(predictions))
        indices = [int(axes.get_xlabel().removeprefix("#")) for axes in drawn]
        assert sorted(indices) == list(range(28, 40))
        confidences = predictions.probabilities.max(axis=1)[indices]
        assert (np.diff(confidences) < 0).all()
        for axes, index in zip(drawn, indices, strict=True):
            np.testing.assert_allclose(shown(axes), predictions.images[index] / 255)

    def test_says_true_and_predicted_digit_with_their_probabilities(self) -> None:
        predictions = random_predictions(10, mistakes=10)
        figure = gallery(predictions)
        for picture, chart in zip(tiles(figure), charts(figure), strict=True):
            index = int(picture.get_xlabel().removeprefix("#"))
            row, label, digit = (
                part[index] for part in (predictions.probabilities, predictions.labels, predictions.predicted)
            )
            assert picture.get_title(loc="left") == f"true {label} ({row[label]:.2f})"
            assert chart.get_title(loc="left") == f"predicted {digit} ({row[digit]:.2f})"

    def test_draws_all_ten_probabilities_in_the_colors_of_the_names(self) -> None:
        predictions = random_predictions(10, mistakes=4)
        figure = gallery(predictions)
        for picture, chart in zip(tiles(figure), charts(figure), strict=True):
            index = int(picture.get_xlabel().removeprefix("#"))
            (bars,) = (one for one in chart.containers if isinstance(one, BarContainer))
            np.testing.assert_allclose([bar.get_height() for bar in bars], predictions.probabilities[index], rtol=1e-6)
            colors = [bar.get_facecolor() for bar in bars]
            label, digit = predictions.labels[index], predictions.predicted[index]
            others = {colors[other] for other in range(10) if other not in {label, digit}}
            assert len({colors[label], colors[digit], *others}) == 3
            assert chart.get_ylim() == (0, 1)

    @pytest.mark.parametrize(
        ("mistakes", "tiles_shown", "title"),
        [
            (45, 30, "mnist (first 30 of 45)"),
            (30, 30, "mnist (30)"),
            (7, 7, "mnist (7)"),
            (1, 1, "mnist (1)"),
        ],
    )
    def test_says_how_many_are_shown(self, mistakes: int, tiles_shown: int, title: str) -> None:
        figure = gallery(random_predictions(50, mistakes))
        assert len(tiles(figure)) == len(charts(figure)) == tiles_shown
        assert figure.get_suptitle() == title

    def test_says_that_there_are_no_mistakes(self) -> None:
        figure = gallery(random_predictions(20))
        assert tiles(figure) == []
        assert texts(figure) == ["no mistakes", "mnist (0)"]

    def test_keeps_the_order_it_is_given(self) -> None:
        predictions = random_predictions(10, mistakes=10)
        order = np.array([4, 9, 0])
        figure = misclassified_gallery(
            predictions.images, predictions.labels, predictions.probabilities, order, "missed by all"
        )
        assert [axes.get_xlabel() for axes in tiles(figure)] == ["#4", "#9", "#0"]


def test_floats_and_a_channel_are_drawn_as_bytes_are() -> None:
    predictions = random_predictions(3, mistakes=1)
    floats: Any = predictions.images[..., None] / np.float32(255)
    as_floats = Predictions(floats, predictions.labels, predictions.probabilities)
    for draw in (grid, gallery):
        for a, b in zip(tiles(draw(predictions)), tiles(draw(as_floats)), strict=True):
            np.testing.assert_allclose(shown(a), shown(b), atol=1e-6)


@pytest.mark.parametrize("shape", [(2, 8, 8), (2, 784), (2, 28, 28, 3)])
def test_images_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    predictions = random_predictions(2, mistakes=2)
    odd = Predictions(np.zeros(shape, np.uint8), predictions.labels, predictions.probabilities)
    for draw in (grid, gallery):
        with pytest.raises(ValueError, match=re.escape(f"received {shape}")):
            draw(odd)
