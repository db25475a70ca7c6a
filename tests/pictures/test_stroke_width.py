"""Pens of any width come near that of MNIST's digits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from skimage.morphology import skeletonize

from experiments.pictures.strokes import stroke_width, with_usual_strokes

Gray = NDArray[np.uint8]


def seven(pen: int, side: int = 200) -> Gray:
    """Draw a seven with a bar, cropped."""
    image = Image.new("L", (side, side))
    edge = pen // 2 + 2
    ImageDraw.Draw(image).line([(edge, edge), (side - edge, edge), (side // 2, side - edge)], 255, pen, joint="curve")
    ink = np.asarray(image)
    return ink[np.ix_(ink.any(axis=1), ink.any(axis=0))]


def skeleton_width(ink: Gray) -> float:
    """Return the area of strokes by the length of their skeleton, in pixels of a 20x20 box."""
    line = skeletonize(ink > 127)
    steps = (
        [line[1:] & line[:-1], line[:, 1:] & line[:, :-1]],
        [line[1:, 1:] & line[:-1, :-1], line[1:, :-1] & line[:-1, 1:]],
    )
    straight, slanted = (sum(int(step.sum()) for step in kind) for kind in steps)
    length = straight + 2**0.5 * slanted
    return float(int((ink > 127).sum()) / length * 20 / max(ink.shape))


@pytest.mark.parametrize("pen", [6, 12, 20, 30])
def test_the_width_of_strokes_is_area_by_length(pen: int) -> None:
    assert stroke_width(seven(pen)) == pytest.approx(pen / 10, rel=0.15)
    assert stroke_width(seven(pen)) == pytest.approx(skeleton_width(seven(pen)), rel=0.2)


@given(width=st.integers(1, 30), length=st.integers(31, 90), level=st.integers(1, 255))
def test_a_bar_is_as_wide_as_twice_its_area_by_its_outline(width: int, length: int, level: int) -> None:
    bar = np.full((length, width), level, np.uint8)
    exact = 2 * width * length / (2 * (width + length)) * 20 / length
    assert stroke_width(bar) == pytest.approx(exact, rel=0.03)


@pytest.mark.parametrize("pen", [2, 6, 10, 24, 30, 50])
def test_thin_and_thick_pens_come_near_the_usual_width(pen: int) -> None:
    ink = seven(pen)
    before, after = stroke_width(ink), stroke_width(with_usual_strokes(ink))
    assert 1.6 < after < 4.1
    if 1.9 <= before <= 3.6:
        np.testing.assert_array_equal(with_usual_strokes(ink), ink)
    else:
        assert np.sign(after - before) == (1 if before < 1.9 else -1)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 255), st.integers(0, 9))
def test_blots_specks_and_hair_lines_are_no_problem(height: int, width: int, level: int, dots: int) -> None:
    ink = np.full((height, width), level, np.uint8) if dots == 0 else np.zeros((height, width), np.uint8)
    ink.ravel()[: dots * 7 : 7] = level
    usual = with_usual_strokes(ink)
    assert usual.dtype == np.uint8
    assert usual.max() <= level
    assert min(np.subtract(usual.shape, ink.shape)) >= 0
