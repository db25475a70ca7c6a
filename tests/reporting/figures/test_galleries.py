"""Galleries show each digit beside what it is compared with, with the right numbers."""

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from examples import BAD, IMAGES, LONG, SHORT, confusing, digit_images, mistakes
from figure_texts import texts
from matplotlib.collections import PolyCollection
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from sheets import digits_on, texts_at, written

from experiments.reporting.figure_parts.style import BLUE, GRAY, INK, RED
from experiments.reporting.figures import FIGURES
from experiments.reporting.figures.confusing_gallery import confusing_gallery
from experiments.reporting.figures.misclassified_gallery import misclassified_gallery
from experiments.reporting.figures.outlier_gallery import outlier_gallery
from experiments.reporting.figures.pairs_gallery import pairs_gallery
from experiments.reporting.figures.prediction_grid import prediction_grid
from experiments.reporting.figures.sample_grid import sample_grid

MANY = [confusing(number) for number in range(20)]


def images(figure: Figure) -> np.ndarray:
    """Return all digits, (n, 28, 28)."""
    return np.stack([digit.image for digit in digits_on(figure)])


class TestConfusingGallery:
    def test_each_digit_stands_beside_three_of_other_classes_and_three_of_its_own(self) -> None:
        digits = digits_on(confusing_gallery(MANY[:2], 2, SHORT))
        np.testing.assert_array_equal(np.stack([digit.image for digit in digits]), IMAGES[:14])
        assert [digit.color for digit in digits] == [INK.upper(), *[RED.upper()] * 3, *[BLUE.upper()] * 3] * 2
        across = [digit.x for digit in digits]
        assert across[:7] == across[7:] == sorted(across[:7])

    def test_texts_beside_a_digit_have_its_numbers_and_those_of_its_neighbors(self) -> None:
        said = texts(confusing_gallery(MANY[:1], 1, SHORT))
        assert {"1.", "label 4", "predicted 9 (0.75)", "ratio 12.35, score 0.9877", "test #9000"} <= set(said)
        assert [line for line in said if line.startswith("d ")] == [f"d {100 + n / 100:.2f}" for n in range(1, 7)]
        assert [line for line in said if line in {"4", "9"}] == ["9"] * 3 + ["4"] * 3
        assert [line for line in said if line.startswith("#")] == [f"#{50_000 + n}" for n in range(1, 7)]

    @pytest.mark.parametrize(("predicted", "color"), [(9, RED), (4, BLUE)])
    def test_a_right_prediction_has_the_color_of_the_label(self, predicted: int, color: str) -> None:
        figure = confusing_gallery([replace(MANY[0], predicted=predicted)], 1, SHORT)
        (text,) = (one for one in written(figure) if one.get_text().startswith("predicted"))
        assert same_color(text.get_color(), color)

    def test_fewer_neighbors_leave_their_places_empty(self) -> None:
        figure = confusing_gallery([replace(MANY[0], own=(), others=MANY[0].others[:1], ratio=math.inf)], 1, SHORT)
        assert [digit.color for digit in digits_on(figure)] == [INK.upper(), RED.upper()]
        assert "ratio \N{INFINITY}, score 0.9877" in texts(figure)

    def test_a_digit_is_as_large_whatever_stands_around_it(self) -> None:
        sides = []
        for count, title in product((1, 20), (SHORT, LONG)):
            figure = confusing_gallery(MANY[:count], count, title)
            figure.draw_without_rendering()
            sides.append(np.ptp(figure.axes[0].transData.transform([(0, 0), (1, 1)]), axis=0))
        np.testing.assert_allclose(sides, np.full((4, 2), sides[0][0]), rtol=0.01)


class TestMisclassifiedGallery:
    def test_each_mistake_has_its_picture_index_and_probabilities_in_the_order_given(self) -> None:
        shown, index, labels, probabilities, total = mistakes(12, 350)
        figure = misclassified_gallery(shown, index, labels, probabilities, total, SHORT)
        np.testing.assert_array_equal(images(figure), shown)
        predicted = probabilities.argmax(axis=1)
        beside = [text.get_text() for text in written(figure) if text.get_text().startswith("predicted")]
        for place, digit in enumerate(digits_on(figure)):
            label, row = labels[place], probabilities[place]
            assert texts_at(figure, digit) == [f"true {label} ({row[label]:.2f})"]
            assert texts_at(figure, digit, 1, 1.2) == [f"#{index[place]}"]
            assert beside[place] == f"predicted {predicted[place]} ({row[predicted[place]]:.2f})"

    def test_ten_bars_are_as_high_as_the_probabilities_in_the_colors_of_the_names(self) -> None:
        shown, index, labels, probabilities, total = mistakes(3, 3)
        figure = misclassified_gallery(shown, index, labels, probabilities, total, SHORT)
        bars = next(
            one for one in figure.axes[0].collections
            if isinstance(one, PolyCollection) and len(np.asarray(one.get_facecolor()))
        )  # fmt: skip
        heights = [np.ptp(np.asarray(path.vertices)[:, 1]) for path in bars.get_paths()]
        np.testing.assert_allclose(heights, probabilities.ravel(), atol=1e-6)
        for place, colors in enumerate(np.asarray(bars.get_facecolor()).reshape(3, 10, 4)):
            named = {int(labels[place]): BLUE, int(probabilities[place].argmax()): RED}
            assert all(same_color(color, named.get(digit, GRAY)) for digit, color in enumerate(colors))

    @pytest.mark.parametrize(
        ("count", "total", "expected"), [(40, 45, " (first 30 of 45)"), (30, 30, " (30)"), (1, 1, " (1)")]
    )
    def test_the_title_has_the_numbers_of_shown_and_all_mistakes(self, count: int, total: int, expected: str) -> None:
        figure = FIGURES["misclassified_gallery"](*mistakes(count, total), SHORT)
        assert len(digits_on(figure)) == min(count, 30)
        assert figure.get_suptitle() == SHORT + expected


class TestPairsGallery:
    def test_pairs_stand_side_by_side_with_places_labels_and_distance(self) -> None:
        distances = np.array([0.0121, 0.02, 0.5], np.float32)
        figure = pairs_gallery(digit_images([0, 1, 2]), digit_images([3, 4, 5], "train"), distances, 3, SHORT)
        np.testing.assert_array_equal(images(figure), IMAGES[[0, 3, 1, 4, 2, 5]])
        assert [text.get_text() for text in written(figure)] == [
            "test 50000 (0)\ntrain 50003 (3), rms 0.012",
            "test 50001 (1)\ntrain 50004 (4), rms 0.020",
            "test 50002 (2)\ntrain 50005 (5), rms 0.500",
        ]

    @pytest.mark.parametrize(("pairs", "title"), [(20, f"{SHORT} (20)"), (60, f"{SHORT} (first 20 of 60)")])
    def test_at_most_twenty_are_shown(self, pairs: int, title: str) -> None:
        digits = digit_images(range(pairs))
        figure = pairs_gallery(digits, digits, np.zeros(pairs, np.float32), pairs, SHORT)
        assert len(digits_on(figure)) == 40
        assert figure.get_suptitle() == title

    def test_one_side_may_not_be_longer(self) -> None:
        with pytest.raises(ValueError, match="shorter"):
            pairs_gallery(digit_images([0, 1]), digit_images([0]), np.zeros(2, np.float32), 2, SHORT)


class TestGrids:
    @pytest.mark.parametrize(("n", "shown"), [(1, 1), (7, 7), (25, 25), (40, 25)])
    def test_the_first_25_images_have_their_captions_above(self, n: int, shown: int) -> None:
        figures = {
            "test {0} ({1})\nz = {2:.1f}": outlier_gallery(digit_images(range(n)), np.arange(n) / 2, n, SHORT),
            "{1}": sample_grid(IMAGES[:n], np.arange(n) % 10, SHORT),
        }
        for caption, figure in figures.items():
            np.testing.assert_array_equal(images(figure), IMAGES[:shown])
            above = [texts_at(figure, digit) for digit in digits_on(figure)]
            assert above == [[caption.format(50_000 + place, place % 10, place / 2)] for place in range(shown)]

    @pytest.mark.parametrize(("outliers", "title"), [(3, f"{SHORT} (3)"), (60, f"{SHORT} (first 25 of 60)")])
    def test_the_title_has_the_number_of_outliers(self, outliers: int, title: str) -> None:
        figure = outlier_gallery(digit_images(range(outliers)), np.zeros(outliers), outliers, SHORT)
        assert figure.get_suptitle() == title

    def test_predictions_have_their_probability_and_mistakes_a_cross_the_true_digit_and_a_frame(self) -> None:
        labels = BAD.predicted[:3] - np.array([0, 0, 1])
        figure = prediction_grid(BAD.images[:3], labels, BAD.probabilities[:3], SHORT)
        right = [
            f"{digit} ({row[digit]:.2f})" for digit, row in zip(BAD.predicted, BAD.probabilities[:3], strict=False)
        ]
        digits = digits_on(figure)
        expected = [*right[:2], f"\N{BALLOT X} {right[2]}, true {labels[2]}"]
        assert [texts_at(figure, digit) for digit in digits] == [[text] for text in expected]
        assert digits[0].color == digits[1].color != digits[2].color == RED.upper()


@pytest.mark.parametrize("shape", [(8, 8), (784,), (28, 28, 3)])
def test_images_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    odd = np.zeros((1, *shape), np.uint8)
    with pytest.raises(ValueError, match="shape"):
        confusing_gallery([replace(MANY[0], image=odd[0])], 1, SHORT)
    with pytest.raises(ValueError, match="shape"):
        outlier_gallery(replace(digit_images([0]), images=odd), np.zeros(1), 1, SHORT)
