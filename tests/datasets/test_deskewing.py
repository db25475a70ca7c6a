"""Deskewing is an affine transform by the moments of the ink, and cuts no ink off."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, center_of_mass
from skimage.measure import moments_central

from experiments.datasets import load
from experiments.datasets.deskewing import BLOCK, deskew
from experiments.pictures.normalization import fit_to_mnist

Image = NDArray[np.uint8]

ROWS, COLUMNS = np.mgrid[:28, :28]
ANY_DIGITS = arrays(np.uint8, (3, 28, 28), elements=st.sampled_from([0, 0, 0, 0, 0, 1, 128, 255]))
BLOTS = arrays(np.uint8, st.tuples(st.integers(5, 30), st.integers(2, 30)), elements=st.integers(100, 255))


def bar(slant: float, column: float = 14, half_width: float = 1.5) -> Image:
    """A bar of 17 rows that goes to the right by `slant` pixels for each row down, its ends blunt."""
    middle = column + slant * (ROWS - 14)
    inside = np.clip(half_width + 0.5 - np.abs(COLUMNS - middle), 0, 1)
    image: Image = np.rint(255 * inside * (np.abs(ROWS - 14) <= 8)).astype(np.uint8)
    return image


def one(image: Image) -> Image:
    upright: Image = deskew(image[np.newaxis])[0]
    return upright


def slant_of(image: Image) -> float:
    moments = moments_central(image.astype(float), order=2)
    return float(moments[1, 1] / moments[2, 0])


@settings(max_examples=50)
@given(slant=st.floats(-0.7, 0.7), column=st.floats(12, 16), half_width=st.floats(0.5, 3))
def test_it_is_the_affine_transform_that_puts_a_bar_upright(slant: float, column: float, half_width: float) -> None:
    image = bar(slant, column, half_width)
    row, middle = center_of_mass(image.astype(float))
    lean = slant_of(image)
    offset = [0, middle - 14 - lean * row]
    expected = affine_transform(image.astype(float), [[1, 0], [lean, 1]], offset, order=1)
    assert np.abs(one(image) - expected).max() <= 0.51
    assert abs(slant_of(one(image))) <= 0.005
    assert center_of_mass(one(image).astype(float)) == pytest.approx((14, 14), abs=0.02)


def test_digits_stand_upright_in_the_centre_and_stay_so() -> None:
    images = load("uci").test.images
    upright = deskew(images)
    assert np.quantile(np.abs([slant_of(image) for image in images]), 0.9) > 0.2
    assert np.abs([slant_of(image) for image in upright]).max() <= 0.002
    away = np.abs(np.array([center_of_mass(image.astype(float)) for image in upright]) - 14)
    assert (away.max(axis=0) <= [0.51, 0.01]).all()
    np.testing.assert_allclose(deskew(upright).astype(float), upright, atol=4)


@given(images=ANY_DIGITS)
def test_no_ink_is_cut_off(images: NDArray[np.uint8]) -> None:
    upright = deskew(images)
    assert upright.dtype == np.uint8
    assert upright.shape == images.shape
    # In a row, rounding loses or gains half a grey level for each pixel with ink, of which each makes two.
    lost = np.abs(images.sum(axis=(1, 2), dtype=float) - upright.sum(axis=(1, 2), dtype=float))
    assert np.all(lost <= np.count_nonzero(images, axis=(1, 2)))


@given(blot=BLOTS)
def test_it_never_leans_more_than_before(blot: Image) -> None:
    image = fit_to_mnist(blot)
    assert abs(slant_of(one(image))) <= abs(slant_of(image)) + 0.01


def test_a_digit_at_the_edge_goes_a_part_of_the_way() -> None:
    image = bar(0.5)
    image[2, 24] = 200  # it would go six pixels to the right
    upright = one(image)
    assert upright[2, 27] == 200
    assert 0.2 * slant_of(image) < slant_of(upright) < 0.5 * slant_of(image)


def test_45_degrees_is_the_most() -> None:
    steep = np.where(np.abs(COLUMNS - 14 - 1.5 * (ROWS - 14)) < 1.5, 255, 0).astype(np.uint8)
    steep[np.abs(ROWS - 14) > 6] = 0
    assert slant_of(steep) == pytest.approx(1.5, abs=0.05)
    assert slant_of(one(steep)) == pytest.approx(0.5, abs=0.05)


def test_a_displaced_digit_is_moved_by_whole_rows() -> None:
    image = bar(0)
    np.testing.assert_array_equal(one(image), image)
    np.testing.assert_array_equal(one(np.roll(image, 5, axis=0)), image)
    np.testing.assert_array_equal(one(np.roll(image, (-6, 3), axis=(0, 1))), image)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((28, 28), np.uint8),
        np.full((28, 28), 255, np.uint8),
        np.where((ROWS >= 4) & (ROWS < 7) & (COLUMNS < 20), 255, 0).astype(np.uint8),
        np.where((ROWS == 20) & (COLUMNS == 3), 7, 0).astype(np.uint8),
    ],
    ids=["blank", "full", "dash", "dot"],
)
def test_what_has_no_slant_stays_as_it_is(image: Image) -> None:
    np.testing.assert_array_equal(one(image), image)


def test_digits_do_not_depend_on_their_neighbours() -> None:
    images = load("uci").train.images[: BLOCK + 2]
    upright = deskew(images)
    for i in (0, BLOCK - 1, BLOCK, BLOCK + 1):
        np.testing.assert_array_equal(one(images[i]), upright[i])
    assert deskew(images[:0]).shape == (0, 28, 28)
