"""Galleries show each digit beside what it is compared with, with the right numbers."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from examples import IMAGES, LONG, PREDICTED, PROBABILITIES, confusing, digit_images, mistakes
from figure_texts import TITLE, draw, in_hex, texts
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.reporting.figure_parts.style import BLUE, GRAY, INK, RED
from experiments.reporting.figures.confusing_gallery import Neighbor

MANY = [confusing(number) for number in range(20)]
SIDE = 28


@dataclass(frozen=True, eq=False)
class Placed:
    """A digit on a sheet: its corner, its pixels, 255 for black, and the color of its frame."""

    x: float
    y: float
    image: NDArray[np.uint8]
    color: str


def digits_on(figure: Figure) -> list[Placed]:
    """Return the digits in the order in which they were placed."""
    (axes,) = figure.axes
    (picture,) = axes.images
    pixels = 255 - np.asarray(picture.get_array())[..., 0]
    frames, *_ = (
        one for one in axes.collections if isinstance(one, PolyCollection) and not len(np.asarray(one.get_facecolor()))
    )
    digits = []
    for path, color in zip(frames.get_paths(), in_hex(frames.get_edgecolor()), strict=True):
        x, y = np.asarray(path.vertices)[0]
        row, column = round(y * SIDE), round(x * SIDE)
        digits.append(Placed(x, y, pixels[row : row + SIDE, column : column + SIDE], color))
    return digits


def images(figure: Figure) -> NDArray[np.uint8]:
    """Return all digits, (n, 28, 28)."""
    return np.stack([digit.image for digit in digits_on(figure)])


def written(figure: Figure) -> list[str]:
    """Return the texts on the sheet in the order in which they were written."""
    return [text.get_text() for text in figure.axes[0].texts]


def texts_at(figure: Figure, digit: Placed, low: float = -0.3, high: float = 0) -> list[str]:
    """Return the texts over the width of a digit, from `low` to `high` below its upper edge."""
    placed = ((text.get_text(), *text.get_position()) for text in figure.axes[0].texts)
    return [
        text for text, x, y in placed if -1 / SIDE <= x - digit.x <= 1 + 1 / SIDE and low <= y - digit.y <= high
    ]  # fmt: skip


class TestConfusingGallery:
    def test_each_digit_is_beside_three_of_other_classes_and_three_of_its_own(self) -> None:
        digits = digits_on(draw("confusing_gallery", MANY[:2], 2))
        np.testing.assert_array_equal(np.stack([digit.image for digit in digits]), IMAGES[:14])
        assert [digit.color for digit in digits] == [INK, *[RED] * 3, *[BLUE] * 3] * 2
        across = [digit.x for digit in digits]
        assert across[:7] == across[7:] == sorted(across[:7])

    def test_texts_beside_a_digit_have_its_numbers_and_those_of_its_neighbors(self) -> None:
        figure = draw("confusing_gallery", [MANY[0], replace(MANY[0], predicted=4)], 1)
        wrong, right = (text for text in figure.axes[0].texts if text.get_text().startswith("predicted"))
        assert in_hex([wrong.get_color(), right.get_color()]) == [RED, BLUE]
        said = texts(draw("confusing_gallery", MANY[:1], 1))
        assert {"1.", "label 4", "predicted 9 (0.75)", "ratio 12.35, score 0.9877", "test #9000"} <= set(said)
        assert [line for line in said if line.startswith("d ")] == [f"d {100 + n / 100:.2f}" for n in range(1, 7)]
        assert [line for line in said if line in {"4", "9"}] == ["9"] * 3 + ["4"] * 3
        assert [line for line in said if line.startswith("#")] == [f"#{50_000 + n}" for n in range(1, 7)]

    def test_fewer_neighbors_leave_their_places_empty(self) -> None:
        likely = Neighbor(IMAGES[1], "train", 1, 9, 1.0, probability=0.5)
        figure = draw("confusing_gallery", [replace(MANY[0], own=(), others=(likely,), ratio=math.inf)], 1)
        assert [digit.color for digit in digits_on(figure)] == [INK, RED]
        assert {"ratio \N{INFINITY}, score 0.9877", "9 (0.50)"} <= set(texts(figure))

    def test_a_digit_is_as_large_whatever_is_around_it(self) -> None:
        sides = []
        for count, title in ((1, LONG), (20, TITLE)):
            figure = draw("confusing_gallery", MANY[:count], count, title=title)
            figure.draw_without_rendering()
            sides.append(np.ptp(figure.axes[0].transData.transform([(0, 0), (1, 1)]), axis=0))
        np.testing.assert_allclose(sides, np.full((2, 2), sides[0][0]), rtol=0.01)


class TestMisclassifiedGallery:
    def test_each_mistake_has_its_image_index_and_probabilities_in_the_order_given(self) -> None:
        shown, index, labels, probabilities, total = mistakes(12, 350)
        figure = draw("misclassified_gallery", shown, index, labels, probabilities, total)
        np.testing.assert_array_equal(images(figure), shown)
        beside = [text for text in written(figure) if text.startswith("predicted")]
        for place, digit in enumerate(digits_on(figure)):
            label, row = labels[place], probabilities[place]
            assert texts_at(figure, digit) == [f"true {label} ({row[label]:.2f})"]
            assert texts_at(figure, digit, 1, 1.2) == [f"#{index[place]}"]
            assert beside[place] == f"predicted {row.argmax()} ({row.max():.2f})"

    def test_ten_bars_are_as_high_as_the_probabilities_in_the_colors_of_the_names(self) -> None:
        shown, index, labels, probabilities, total = mistakes(3, 3)
        figure = draw("misclassified_gallery", shown, index, labels, probabilities, total)
        collections = [one for one in figure.axes[0].collections if isinstance(one, PolyCollection)]
        bars, *_ = (one for one in collections if len(np.asarray(one.get_facecolor())))
        heights = [np.ptp(np.asarray(path.vertices)[:, 1]) for path in bars.get_paths()]
        np.testing.assert_allclose(heights, probabilities.ravel(), atol=1e-6)
        for place, colors in enumerate(np.reshape(in_hex(bars.get_facecolor()), (3, 10))):
            named = {int(labels[place]): BLUE, int(probabilities[place].argmax()): RED}
            assert colors.tolist() == [named.get(digit, GRAY) for digit in range(10)]


class TestPairsGallery:
    def test_pairs_are_side_by_side_with_places_labels_and_distance(self) -> None:
        distances = np.array([0.0121, 0.02, 0.5], np.float32)
        figure = draw("pairs_gallery", digit_images([0, 1, 2]), digit_images([3, 4, 5], "train"), distances, 3)
        np.testing.assert_array_equal(images(figure), IMAGES[[0, 3, 1, 4, 2, 5]])
        assert written(figure) == [
            "test 50000 (0)\ntrain 50003 (3), rms 0.012",
            "test 50001 (1)\ntrain 50004 (4), rms 0.020",
            "test 50002 (2)\ntrain 50005 (5), rms 0.500",
        ]


class TestGrids:
    @pytest.mark.parametrize(("n", "shown"), [(1, 1), (7, 7), (25, 25), (40, 25)])
    def test_the_first_25_images_have_their_captions_above(self, n: int, shown: int) -> None:
        outliers = draw("outlier_gallery", digit_images(range(n)), np.arange(n) / 2, n)
        samples = draw("sample_grid", IMAGES[:n], np.arange(n) % 10)
        for caption, figure in {"test {0} ({1})\nz = {2:.1f}": outliers, "{1}": samples}.items():
            np.testing.assert_array_equal(images(figure), IMAGES[:shown])
            above = [texts_at(figure, digit) for digit in digits_on(figure)]
            assert above == [[caption.format(50_000 + place, place % 10, place / 2)] for place in range(shown)]

    def test_predictions_have_their_probability_and_mistakes_a_cross_the_true_digit_and_a_frame(self) -> None:
        labels = PREDICTED[:3] - [0, 0, 1]
        figure = draw("prediction_grid", IMAGES[:3], labels, PROBABILITIES[:3])
        said = [f"{row.argmax()} ({row.max():.2f})" for row in PROBABILITIES[:3]]
        digits = digits_on(figure)
        expected = [*said[:2], f"\N{BALLOT X} {said[2]}, true {labels[2]}"]
        assert [texts_at(figure, digit) for digit in digits] == [[text] for text in expected]
        assert digits[0].color == digits[1].color != digits[2].color == RED


@pytest.mark.parametrize(
    ("figure", "arguments", "most"),
    [
        ("misclassified_gallery", lambda n: (*mistakes(n, n)[:4], n), 30),
        ("pairs_gallery", lambda n: (digit_images(range(n)), digit_images(range(n)), np.zeros(n, np.float32), n), 20),
        ("outlier_gallery", lambda n: (digit_images(range(n)), np.zeros(n), n), 25),
    ],
)
def test_the_title_has_the_numbers_of_shown_and_all_digits(figure: str, arguments: Any, most: int) -> None:
    for count, added in ((most, f"({most})"), (60, f"(first {most} of 60)")):
        drawn = draw(figure, *arguments(count))
        assert len(digits_on(drawn)) == (2 * most if figure == "pairs_gallery" else most)
        assert drawn.get_suptitle() == f"{TITLE} {added}"


@pytest.mark.parametrize("shape", [(8, 8), (784,), (28, 28, 3)])
def test_images_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    odd = np.zeros((1, *shape), np.uint8)
    with pytest.raises(ValueError, match="shape"):
        draw("confusing_gallery", [replace(MANY[0], image=odd[0])], 1)
    with pytest.raises(ValueError, match="shape"):
        draw("outlier_gallery", replace(digit_images([0]), images=odd), np.zeros(1), 1)
