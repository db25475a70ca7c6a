"""Attributes of drawn shapes are those they were drawn with."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes, label

from experiments.analysis.image_attributes import ATTRIBUTES, BLOCK, image_attributes

Image = NDArray[np.uint8]
CENTRE = 13.5
ROWS, COLUMNS = np.mgrid[:28, :28]


def one(image: NDArray[Any], attribute: str) -> float:
    """Return an attribute of one image."""
    return float(image_attributes(image[None].astype(np.uint8))[attribute][0])


def bar(width: float, degrees: float = 0.0) -> Image:
    """Draw a bar of a width from top to bottom that leans to the right, softened at its edges."""
    across = (COLUMNS - CENTRE) * np.cos(np.radians(degrees)) + (ROWS - CENTRE) * np.sin(np.radians(degrees))
    return np.asarray(255 * np.clip(width / 2 + 0.5 - np.abs(across), 0, 1), np.uint8)


def ring(row: float = CENTRE, column: float = CENTRE, radius: float = 7.0, width: float = 3.0) -> Image:
    across = np.abs(np.hypot(ROWS - row, COLUMNS - column) - radius)
    return np.asarray(255 * (across < width / 2), np.uint8)


def pixels(picture: str) -> Image:
    """Draw a picture of # and . into the middle."""
    image: Image = np.zeros((28, 28), np.uint8)
    for row, line in enumerate(picture.split()):
        for column, mark in enumerate(line):
            image[10 + row, 10 + column] = 255 * (mark == "#")
    return image


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5])
def test_thickness_of_a_bar_is_its_width_whatever_its_direction(width: int) -> None:
    image = np.zeros((28, 28), np.uint8)
    image[:, 10 : 10 + width] = 255
    for upright in (image, image.T):
        assert one(upright, "thickness") == pytest.approx(width, abs=0.4)
    for degrees in (-45, -20, 20, 30, 45):
        # At 45 degrees two diagonals of pixels lie 0.7 apart: that much of the width is up to where they fall.
        assert one(bar(width, degrees), "thickness") == pytest.approx(width, abs=1 if width > 1 else 1.1)


@pytest.mark.parametrize("degrees", [-30, -15, 0, 15, 30])
def test_slant_is_the_angle_of_a_sheared_bar(degrees: float) -> None:
    middle = CENTRE - np.tan(np.radians(degrees)) * (ROWS - CENTRE)  # to the right going up
    image = 255 * np.clip(2 - np.abs(COLUMNS - middle), 0, 1) * (np.abs(ROWS - CENTRE) < 10)
    assert one(image, "slant") == pytest.approx(degrees, abs=0.5)
    assert one(image[:, ::-1], "slant") == pytest.approx(-degrees, abs=0.5)
    assert one(pixels("#######"), "slant") == 0


@pytest.mark.parametrize(
    ("image", "loops"),
    [
        (bar(3), 0),
        (ring(), 1),
        (np.maximum(ring(8, radius=4.5, width=2), ring(19, radius=6, width=2)), 2),
        (np.full((28, 28), 255), 0),
        (pixels("### #.# ###"), 1),
        (pixels("### #.# #.#"), 0),
        (pixels("### #.# ##."), 1),  # ink that touches at corners is joined
        (pixels(".#. #.# .#."), 1),
        (pixels("#### #..# #.## ####"), 1),
        (pixels("##### #.#.# #####"), 2),
        (pixels("##### #.### ###.# #####"), 2),  # ground that touches at corners is not
        (np.pad(np.zeros((26, 26)), 1, constant_values=255), 1),  # along the picture's border
    ],
    ids="bar ring eight full box open corner diamond L two diagonal frame".split(),
)
def test_loops_are_areas_that_ink_encloses(image: NDArray[Any], loops: int) -> None:
    assert one(image, "loops") == loops


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.floats(0.2, 0.9))
def test_loops_are_the_holes_that_scipy_fills(seed: int, density: float) -> None:
    ink = np.random.default_rng(seed).random((4, 28, 28)) < density
    expected = [label(binary_fill_holes(image) & ~image)[1] for image in ink]
    assert image_attributes((ink * 255).astype(np.uint8))["loops"].tolist() == expected


@pytest.mark.parametrize(("height", "width"), [(20, 10), (5, 15), (1, 1), (28, 28)])
def test_aspect_is_that_of_the_box_and_ink_the_sum_of_the_brightness(height: int, width: int) -> None:
    image = np.zeros((28, 28), np.uint8)
    image[:height, 28 - width :] = 255
    assert one(image, "aspect") == pytest.approx(width / height)
    image[1 : height - 1, 29 - width : 27] = 0  # a frame has the same box
    assert one(image, "aspect") == pytest.approx(width / height)
    noise = np.random.default_rng(0).integers(0, 256, (28, 28))
    assert one(noise, "ink") == pytest.approx(noise.sum() / 255)


def test_an_image_without_ink_has_nothing_to_measure() -> None:
    found = image_attributes(np.zeros((2, 28, 28), np.uint8))
    assert {name: values.tolist() for name, values in found.items()} == {
        "thickness": [0, 0], "slant": [0, 0], "loops": [0, 0], "aspect": [1, 1], "ink": [0, 0],
    }  # fmt: skip


def test_an_image_is_measured_alike_wherever_it_stands() -> None:
    generator = np.random.default_rng(0)
    many = np.where(generator.random((BLOCK + 3, 28, 28)) < 0.4, 255, 0).astype(np.uint8)
    many[BLOCK - 1 : BLOCK + 1] = ring()
    together = image_attributes(many)
    assert list(together) == list(ATTRIBUTES)
    for place in (0, 1, BLOCK - 2, BLOCK - 1, BLOCK, BLOCK + 2):
        alone = image_attributes(many[place : place + 1])
        assert {name: values[place] for name, values in together.items()} == pytest.approx(
            {name: values[0] for name, values in alone.items()}
        )
    for other in (np.asfortranarray(many), np.repeat(many, 2, axis=0)[::2]):
        for name, values in image_attributes(other).items():
            np.testing.assert_allclose(values, together[name])
