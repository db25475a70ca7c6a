"""Pictures of any format become 28x28 pixels of white ink on black, as those of MNIST."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from picture_writer import put, stroke
from PIL import Image as Pillow
from scipy.ndimage import center_of_mass

from experiments.datasets.idx import read
from experiments.errors import DigitsError
from experiments.pictures import SUFFIXES, light_ink, read_gray, remove_paper, size_of
from experiments.pictures.normalization import fit_to_mnist

Image = NDArray[np.uint8]

SIDES = st.tuples(st.integers(1, 60), st.integers(1, 60))
# Ink without holes whose gray levels vary too little to move the center of mass out of reach within 28x28.
BLOTS = arrays(np.uint8, SIDES, elements=st.integers(100, 255))
ANY_IMAGES = arrays(np.uint8, SIDES, elements=st.sampled_from([0, 0, 0, 1, 128, 255]))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_file_formats(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"seven{suffix}"
    Pillow.fromarray(stroke()).save(path, lossless=True)  # WebP's option, which the others ignore
    error = np.abs(read_gray(path).astype(int) - stroke())
    # JPEG loses a little.
    assert error.max() <= (40 if suffix in {".jpg", ".jpeg"} else 0)
    assert size_of(path) == (60, 80)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK"])
def test_color_modes(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("seven.tif" if mode == "CMYK" else "seven.png")
    put(path, stroke(), mode)
    assert read_gray(path).dtype == np.uint8
    np.testing.assert_array_equal(read_gray(path), stroke())


def test_colors_16_bits_and_transparency_become_gray_levels(tmp_path: Path) -> None:
    levels = np.arange(16, dtype=np.uint16).reshape(4, 4) * 4096 + 255
    ink = np.zeros((2, 2, 4), np.uint8)
    ink[..., 3] = [[0, 255], [128, 0]]
    red = np.full((3, 4, 3), [200, 0, 0], np.uint8)
    pixels: dict[str, NDArray[Any]] = {"red": red, "levels": levels, "ink": ink}
    for name, array in pixels.items():
        Pillow.fromarray(array).save(tmp_path / f"{name}.png")
    # ITU-R 601-2 luma.
    np.testing.assert_allclose(read_gray(tmp_path / "red.png"), np.full((3, 4), 0.299 * 200), atol=1)
    np.testing.assert_array_equal(read_gray(tmp_path / "levels.png"), levels // 256)
    np.testing.assert_allclose(read_gray(tmp_path / "ink.png"), [[255, 0], [127, 255]], atol=1)


def test_a_photo_is_rotated_as_its_exif_orientation_says(tmp_path: Path) -> None:
    turned = Pillow.fromarray(np.rot90(stroke()).copy())
    exif = turned.getexif()
    exif[0x0112] = 6  # stored a quarter turn anticlockwise
    turned.save(tmp_path / "seven.png", exif=exif)
    np.testing.assert_array_equal(read_gray(tmp_path / "seven.png"), stroke())


def test_a_file_that_is_no_picture_is_named(tmp_path: Path) -> None:
    for content in (b"no picture", b""):
        (tmp_path / "bad.png").write_bytes(content)
        for reader in (read_gray, size_of):
            with pytest.raises(DigitsError, match=r"/bad\.png"):
                reader(tmp_path / "bad.png")
    put(tmp_path / "cut.png", stroke())
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:-40])
    with pytest.raises(DigitsError, match=r"/cut\.png"):
        read_gray(tmp_path / "cut.png")


def test_dark_ink_on_light_paper_is_inverted() -> None:
    for picture in (stroke(), 255 - stroke()):
        np.testing.assert_array_equal(light_ink(picture, "seven"), stroke())


@pytest.mark.parametrize("low", [0, 128, 223])
def test_a_picture_without_contrast_is_named(low: int) -> None:
    with pytest.raises(DigitsError, match=rf"^seven\.png .* {low} to {low + 31}$"):
        light_ink(np.where(stroke() > 0, low + 31, low).astype(np.uint8), "seven.png")
    enough = np.where(stroke() > 0, low + 32, low).astype(np.uint8)
    np.testing.assert_array_equal(light_ink(enough, "seven.png"), enough)


def test_paper_becomes_0_and_ink_255() -> None:
    grain = np.random.default_rng(0).integers(-4, 5, stroke().shape)
    cleaned = remove_paper((np.where(stroke() > 0, 180, 60) + grain).astype(np.uint8))
    assert cleaned.max() == 255
    assert not cleaned[stroke() == 0].any()
    assert cleaned[stroke() > 0].min() >= 225


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
