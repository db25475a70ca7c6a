"""Stroke widths of drawn strokes are those they were drawn with, and are changed to what is asked for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from skimage.measure import euler_number, label

from experiments.datasets import Split, load
from experiments.datasets.strokes import BLOCK, match_stroke_width, stroke_width
from experiments.errors import UsageError

Image = NDArray[np.uint8]

FINE = 8  # points along a pixel, of which its grey level is the mean
DOWN, ACROSS = (np.mgrid[: 28 * FINE, : 28 * FINE] + 0.5) / FINE - 14
ANY_DIGITS = arrays(np.uint8, (3, 28, 28), elements=st.sampled_from([0, 0, 0, 0, 0, 1, 128, 255]))


def drawn(inside: NDArray[np.bool_]) -> Image:
    image: Image = np.rint(255 * inside.reshape(28, FINE, 28, FINE).mean(axis=(1, 3))).astype(np.uint8)
    return image


def stroke(width: float, angle: float, length: float = 14) -> Image:
    """A straight stroke with round ends."""
    along = ACROSS * np.cos(angle) + DOWN * np.sin(angle)
    aside = DOWN * np.cos(angle) - ACROSS * np.sin(angle)
    return drawn(np.hypot(np.maximum(np.abs(along) - length / 2, 0), aside) < width / 2)


def ring(width: float, radius: float) -> Image:
    return drawn(np.abs(np.hypot(ACROSS, DOWN) - radius) < width / 2)


def measured(image: Image) -> float:
    return float(stroke_width(image[np.newaxis])[0])


def split_of(*images: Image) -> Split:
    return Split(np.stack(images), np.arange(len(images)) % 10)


def matched(image: Image, width: float) -> Image:
    changed: Image = match_stroke_width(split_of(image), width).images[0]
    return changed


widths = st.floats(2.5, 6)
angles = st.floats(0, np.pi)


@settings(max_examples=50)
@given(width=widths, angle=angles, length=st.floats(10, 18), radius=st.floats(5, 9))
def test_strokes_and_rings_have_their_width(width: float, angle: float, length: float, radius: float) -> None:
    assert measured(stroke(width, angle, length)) == pytest.approx(width, abs=0.2)
    assert measured(ring(width, radius)) == pytest.approx(width, abs=0.2)


def test_neither_place_nor_brightness_nor_turns_nor_a_second_stroke_matter() -> None:
    image = stroke(3, 0.7)
    assert measured(image // 2) == pytest.approx(measured(image), abs=0.02)
    for other in (np.roll(image, (3, -2), axis=(0, 1)), np.rot90(image), image.T):
        assert measured(other) == pytest.approx(measured(image))
    two, one = (drawn((np.abs(across) < 1.5) & (np.abs(DOWN) < 8)) for across in (np.abs(ACROSS) - 6, ACROSS))
    assert measured(two) == pytest.approx(measured(one))
    for diameter in (6, 9.5, 20):
        assert measured(drawn(np.hypot(ACROSS, DOWN) < diameter / 2)) == pytest.approx(diameter, rel=0.125)


@settings(max_examples=30)
@given(width=widths, angle=angles, change=st.floats(-0.5, 2))  # below two pixels a width means little
def test_strokes_are_made_as_thick_as_asked_for(width: float, angle: float, change: float) -> None:
    for image in (stroke(width, angle), ring(width, 7)):
        assert measured(matched(image, width + change)) == pytest.approx(width + change, abs=0.05)
        np.testing.assert_array_equal(matched(image, measured(image)), image)


@settings(max_examples=30)
@given(images=ANY_DIGITS, width=st.floats(0.5, 12))
def test_any_ink_has_a_width_and_gets_no_farther_from_it(images: Image, width: float) -> None:
    before, changed = stroke_width(images), match_stroke_width(split_of(*images), width).images
    assert before.dtype == np.float64
    assert np.all(np.isfinite(before))
    np.testing.assert_array_equal(before > 0, images.any(axis=(1, 2)))
    assert np.all(np.abs(stroke_width(changed) - width) <= np.abs(before - width) + 1e-9)
    np.testing.assert_array_equal(changed.any(axis=(1, 2)), images.any(axis=(1, 2)))


@settings(max_examples=30)
@given(width=st.floats(2.5, 4), radius=st.floats(5, 8), change=st.floats(-0.5, 0.5))
def test_holes_stay_when_widths_are_near(width: float, radius: float, change: float) -> None:
    changed = matched(ring(width, radius), width + change)
    assert euler_number(changed > 127, connectivity=2) == 0


@settings(max_examples=30)
@given(width=st.floats(1.5, 5), angle=angles, thin=st.floats(0.1, 1.5))
def test_thinned_strokes_do_not_fall_apart(width: float, angle: float, thin: float) -> None:
    for image in (stroke(width, angle), ring(width, 8)):
        assert label(matched(image, thin) > 0, connectivity=2).max() == 1


def test_outlines_move_evenly() -> None:
    grown = matched(stroke(3, 0), 4).astype(float)
    np.testing.assert_allclose(grown[:, 8:20].sum(axis=0), 4 * 255, rtol=0.03)
    np.testing.assert_allclose(grown, grown[::-1], atol=1)


def test_labels_blank_images_and_no_images_stay() -> None:
    split = split_of(stroke(3, 1), np.zeros((28, 28), np.uint8))
    changed = match_stroke_width(split, 4)
    np.testing.assert_array_equal(changed.labels, split.labels)
    assert not changed.images[1].any()
    assert len(match_stroke_width(split.take([]), 4)) == len(stroke_width(split.images[:0])) == 0


def test_digits_get_the_width_whatever_their_neighbours() -> None:
    split = load("uci").train.take(range(BLOCK + 2))
    changed = match_stroke_width(split, 4.5).images
    assert np.mean(np.abs(stroke_width(changed) - 4.5) < 0.1) > 0.95
    assert np.std(stroke_width(split.images)) > 0.4
    for i in (0, BLOCK - 1, BLOCK, BLOCK + 1):
        np.testing.assert_array_equal(matched(split.images[i], 4.5), changed[i])


@pytest.mark.parametrize("width", [0, -1, 28, float("nan"), float("inf")])
def test_an_impossible_width_is_refused(width: float) -> None:
    with pytest.raises(UsageError, match=f"received {width}"):
        matched(stroke(3, 0), width)
