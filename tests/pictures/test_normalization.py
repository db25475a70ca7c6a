"""Ink of any size becomes 28x28 pixels, as in MNIST."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.ndimage import center_of_mass

from experiments.datasets.idx import read
from experiments.pictures.normalization import fit_to_mnist

Image = NDArray[np.uint8]

SIDES = st.tuples(st.integers(1, 60), st.integers(1, 60))
# Ink without holes whose gray levels vary too little to move the center of mass out of reach within 28x28.
BLOTS = arrays(np.uint8, SIDES, elements=st.integers(100, 255))
ANY_IMAGES = arrays(np.uint8, SIDES, elements=st.sampled_from([0, 0, 0, 1, 128, 255]))


@given(image=BLOTS)
def test_ink_fits_20x20_keeps_its_aspect_and_is_centered_by_mass(image: Image) -> None:
    fitted = fit_to_mnist(image)
    # Half a pixel of rounding.
    assert np.abs(np.subtract(center_of_mass(fitted.astype(float)), 14)).max() <= 0.5 + 1e-9
    sides = [np.flatnonzero(fitted.any(axis)).size for axis in (1, 0)]
    assert max(sides) == 20
    for side, before in zip(sides, image.shape, strict=True):
        wanted = 20 * before / max(image.shape)
        assert abs(side - wanted) <= max(0.5, 1 - wanted)


@given(image=ANY_IMAGES, top=st.integers(0, 9), left=st.integers(0, 9), bottom=st.integers(0, 9))
def test_every_image_becomes_28x28_wherever_its_ink_lies(image: Image, top: int, left: int, bottom: int) -> None:
    fitted = fit_to_mnist(image)
    assert fitted.shape == (28, 28)
    assert fitted.dtype == np.uint8
    np.testing.assert_array_equal(fit_to_mnist(np.pad(image, ((top, bottom), (left, 0)))), fitted)


@pytest.mark.parametrize("shape", [(28, 28), (16, 16), (1, 1), (100, 3)])
def test_an_image_without_ink_becomes_blank(shape: tuple[int, int]) -> None:
    assert not fit_to_mnist(np.zeros(shape, np.uint8)).any()


def test_ink_that_fades_on_reduction_becomes_blank() -> None:
    assert not fit_to_mnist(np.diag(np.full(3000, 1, np.uint8))).any()


def test_lopsided_ink_is_not_cut_off() -> None:
    corner = np.zeros((20, 20), np.uint8)
    corner[:3], corner[:, :3] = 255, 255
    np.testing.assert_array_equal(fit_to_mnist(corner)[8:, 8:], corner)


def test_reduction_averages() -> None:
    stripes = np.zeros((200, 200), np.uint8)
    stripes[:, ::2] = 255
    stripes[:, -1] = 255
    inner = fit_to_mnist(stripes)[6:22, 6:22]
    assert 100 < inner.min() <= inner.max() < 155


@pytest.mark.real_data
def test_it_is_mnists_procedure_for_it_leaves_mnist_as_it_is(data_dir: Path) -> None:
    images = read(data_dir / "mnist" / "t10k-images-idx3-ubyte.gz")[:2000]
    unchanged = [np.array_equal(fit_to_mnist(image), image) for image in images]
    assert np.mean(unchanged) >= 0.999
