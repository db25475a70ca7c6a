"""Galleries show each digit beside what it is compared with, and say what both are."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from figure_texts import texts, unreadable
from matplotlib.colors import same_color, to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from numpy.typing import NDArray

from experiments.reporting.figures.confusing import (
    ConfusingDigit,
    Neighbor,
    confusing_gallery,
    outlier_gallery,
    pairs_gallery,
)
from experiments.reporting.figures.style import BLUE, INK, RED

SHORT = "mnist-lenet v3 on mnist test"
LONG = " on ".join(["models:/a-folder-of-my-own-digits-with-a-very-long-name-alexnet227@champion"] * 2)
IMAGES = np.random.default_rng(0).integers(0, 256, (400, 28, 28), dtype=np.uint8)


def neighbor(number: int, label: int) -> Neighbor:
    return Neighbor(IMAGES[number], "train", 50_000 + number, label, 100 + number / 100)


def confusing(number: int) -> ConfusingDigit:
    """Return a 4, taken for a 9, with images of its own."""
    first = 7 * number
    return ConfusingDigit(
        image=IMAGES[first],
        split="test",
        index=9000 + number,
        label=4,
        predicted=9,
        probability=0.75,
        ratio=12.345,
        score=0.98765,
        rank=number + 1,
        others=tuple(neighbor(first + place, 9) for place in (1, 2, 3)),
        own=tuple(neighbor(first + place, 4) for place in (4, 5, 6)),
    )


MANY = [confusing(number) for number in range(25)]
CAPTIONS = [f"test #{number}, 7    train #{number}, 7\ndifference 0.012" for number in range(60)]

FIGURES: dict[str, Callable[[str], Figure]] = {
    "confusing": lambda title: confusing_gallery(MANY, title, rows=3),
    "confusing of one": lambda title: confusing_gallery(MANY[:1], title),
    "not confusing": lambda title: confusing_gallery([], title),
    "pairs": lambda title: pairs_gallery(IMAGES[:9], IMAGES[9:18], CAPTIONS[:9], title),
    "one pair": lambda title: pairs_gallery(IMAGES[:1], IMAGES[1:2], CAPTIONS[:1], title),
    "no pairs": lambda title: pairs_gallery(IMAGES[:0], IMAGES[:0], [], title),
    "outliers": lambda title: outlier_gallery(IMAGES[:7], ["test #9999: 6\nz 12.5"] * 7, title),
    "no outliers": lambda title: outlier_gallery(IMAGES[:0], [], title),
}


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("title", [SHORT, LONG], ids=["short title", "long title"])
def test_every_gallery_can_be_read(name: str, title: str) -> None:
    figure = FIGURES[name](title)
    assert unreadable(figure) == []
    assert figure.get_suptitle().replace("\n", "").replace(" ", "").startswith(title.replace(" ", ""))
    assert min(float(text.get_fontsize()) for text in figure.findobj(Text) if text.get_text()) >= 8


def pictures(figure: Figure) -> list[NDArray[Any]]:
    """Return how dark the pixels of each picture are drawn, from 0 to 1."""
    shown = (image for axes in figure.axes for image in axes.images)
    return [np.asarray(image.norm(np.asarray(image.get_array())), float) for image in shown]


def frames(figure: Figure) -> list[str]:
    """Return the color of each picture's frame."""
    found = (patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle))
    return [to_hex(frame.get_edgecolor()).upper() for frame in found]


class TestConfusingGallery:
    def test_each_digit_stands_beside_three_of_other_classes_and_three_of_its_own(self) -> None:
        figure = confusing_gallery(MANY[:2], SHORT)
        np.testing.assert_allclose(pictures(figure), IMAGES[:14] / 255)
        row = [INK.upper(), *[RED.upper()] * 3, *[BLUE.upper()] * 3]
        assert frames(figure) == row * 2
        across = [image.get_extent()[0] for image in figure.axes[0].images]
        assert across[:7] == across[7:] == sorted(across[:7])

    def test_says_what_the_digit_is_and_what_it_was_taken_for(self) -> None:
        said = texts(confusing_gallery(MANY[:1], SHORT))
        expected = {"1.", "label 4", "predicted 9 (0.75)", "ratio 12.35, score 0.9877", "test #9000"}
        assert expected <= set(said)

    def test_says_what_the_neighbors_are_and_how_far(self) -> None:
        said = texts(confusing_gallery(MANY[:1], SHORT))
        assert [line for line in said if line.startswith("d ")] == [
            f"d {100 + place / 100:.2f}" for place in range(1, 7)
        ]
        assert [line for line in said if line in {"4", "9"}] == ["9"] * 3 + ["4"] * 3
        assert [line for line in said if line.startswith("#")] == [f"#{50_000 + place}" for place in range(1, 7)]

    @pytest.mark.parametrize(("predicted", "color"), [(9, RED), (4, BLUE)])
    def test_a_right_prediction_has_the_color_of_the_label(self, predicted: int, color: str) -> None:
        figure = confusing_gallery([replace(MANY[0], predicted=predicted)], SHORT)
        (text,) = (one for one in figure.axes[0].texts if one.get_text().startswith("predicted"))
        assert same_color(text.get_color(), color)

    def test_fewer_neighbors_leave_their_places_empty(self) -> None:
        figure = confusing_gallery([replace(MANY[0], own=(), others=MANY[0].others[:1], ratio=np.inf)], SHORT)
        assert frames(figure) == [INK.upper(), RED.upper()]
        assert "ratio \N{INFINITY}, score 0.9877" in texts(figure)

    @pytest.mark.parametrize(
        ("rows", "shown", "title"), [(20, 20, f"{SHORT} (first 20 of 25)"), (30, 25, f"{SHORT} (25)")]
    )
    def test_says_how_many_are_shown(self, rows: int, shown: int, title: str) -> None:
        figure = confusing_gallery(MANY, SHORT, rows)
        assert len(pictures(figure)) == 7 * shown
        assert figure.get_suptitle() == title

    def test_says_that_there_are_none(self) -> None:
        figure = confusing_gallery([], SHORT)
        assert texts(figure) == ["no confusing digits", f"{SHORT} (0)"]

    def test_a_picture_is_as_large_whatever_stands_around_it(self) -> None:
        sides = [
            np.ptp(figure.axes[0].transData.transform([(0, 0), (1, 1)]), axis=0)
            for figure in (confusing_gallery(MANY[:count], title) for count in (1, 20) for title in (SHORT, LONG))
        ]
        np.testing.assert_allclose(sides, np.full((4, 2), sides[0][0]), rtol=0.03)


class TestPairsGallery:
    def test_pairs_stand_side_by_side_with_their_caption(self) -> None:
        figure = pairs_gallery(IMAGES[:3], IMAGES[3:6], CAPTIONS[:3], SHORT)
        np.testing.assert_allclose(pictures(figure), IMAGES[[0, 3, 1, 4, 2, 5]] / 255)
        assert [text.get_text() for text in figure.axes[0].texts] == CAPTIONS[:3]

    @pytest.mark.parametrize(("pairs", "title"), [(20, f"{SHORT} (20)"), (60, f"{SHORT} (first 20 of 60)")])
    def test_says_how_many_are_shown(self, pairs: int, title: str) -> None:
        figure = pairs_gallery(IMAGES[:pairs], IMAGES[60 : 60 + pairs], CAPTIONS[:pairs], SHORT)
        assert len(pictures(figure)) == 40
        assert figure.get_suptitle() == title

    def test_says_that_there_are_none(self) -> None:
        assert texts(pairs_gallery(IMAGES[:0], IMAGES[:0], [], SHORT)) == ["no pairs", f"{SHORT} (0)"]

    def test_one_side_may_not_be_longer(self) -> None:
        with pytest.raises(ValueError, match="shorter"):
            pairs_gallery(IMAGES[:2], IMAGES[:1], CAPTIONS[:2], SHORT)


class TestOutlierGallery:
    @pytest.mark.parametrize(("outliers", "title"), [(3, f"{SHORT} (3)"), (60, f"{SHORT} (first 25 of 60)")])
    def test_the_first_25_have_their_captions_above(self, outliers: int, title: str) -> None:
        captions = [f"test #{number}" for number in range(outliers)]
        figure = outlier_gallery(IMAGES[:outliers], captions, SHORT)
        assert [axes.get_title() for axes in figure.axes] == captions[:25]
        np.testing.assert_allclose(pictures(figure), IMAGES[: min(outliers, 25)] / 255)
        assert figure.get_suptitle() == title

    def test_says_that_there_are_none(self) -> None:
        assert texts(outlier_gallery(IMAGES[:0], [], SHORT)) == ["no images", f"{SHORT} (0)"]


def test_floats_and_a_channel_are_drawn_as_bytes_are() -> None:
    floats = IMAGES[..., None] / np.float32(255)
    digit, as_floats = replace(MANY[0], others=(), own=()), replace(MANY[0], image=floats[0], others=(), own=())
    for a, b in (
        (confusing_gallery([digit], SHORT), confusing_gallery([as_floats], SHORT)),
        (pairs_gallery(IMAGES[:1], IMAGES[1:2], [""], SHORT), pairs_gallery(floats[:1], floats[1:2], [""], SHORT)),
    ):
        np.testing.assert_allclose(pictures(a), pictures(b), atol=1e-6)


@pytest.mark.parametrize("shape", [(8, 8), (784,), (28, 28, 3)])
def test_images_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    odd = np.zeros((1, *shape), np.uint8)
    refused = re.escape(f"received {odd.shape}")
    with pytest.raises(ValueError, match=refused):
        confusing_gallery([replace(MANY[0], image=odd[0])], SHORT)
    with pytest.raises(ValueError, match=refused):
        pairs_gallery(odd, odd, [""], SHORT)
    with pytest.raises(ValueError, match=refused):
        outlier_gallery(odd, [""], SHORT)
