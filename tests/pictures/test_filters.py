"""Filters agree with those of SciPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from scipy import ndimage

from experiments.pictures import filters

SHAPES = array_shapes(min_dims=2, max_dims=2, max_side=24)
MASKS = arrays(bool, SHAPES)
IMAGES = arrays(np.uint8, SHAPES)


@given(MASKS)
def test_pieces_and_dilation(mask: NDArray[np.bool_]) -> None:
    eight = np.ones((3, 3), bool)
    labels, count = filters.label(mask)
    known, known_count = ndimage.label(mask, eight)
    np.testing.assert_array_equal(labels, known)
    assert count == known_count
    assert filters.find_objects(labels, count) == ndimage.find_objects(known)
    np.testing.assert_array_equal(filters.dilate(mask, corners=True), ndimage.binary_dilation(mask, eight))
    np.testing.assert_array_equal(filters.dilate(mask, corners=False), ndimage.binary_dilation(mask))


@pytest.mark.parametrize("name", ["maximum_filter", "minimum_filter", "uniform_filter"])
@given(image=IMAGES, side=st.integers(1, 40))
def test_windows(name: str, image: NDArray[np.uint8], side: int) -> None:
    values = image.astype(np.float32)
    found = getattr(filters, name)(values, side)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, getattr(ndimage, name)(values, side, mode="nearest"), atol=1e-3)


def test_channels_are_filtered_apart() -> None:
    values = np.random.default_rng(0).random((9, 7, 3)).astype(np.float32)
    known = ndimage.uniform_filter(values, (4, 4, 1), mode="nearest")
    np.testing.assert_allclose(filters.uniform_filter(values, 4), known, atol=1e-5)
