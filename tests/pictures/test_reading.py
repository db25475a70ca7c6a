from pathlib import Path

import numpy as np
import pytest
from picture_writer import put, stroke
from PIL import Image

from experiments.errors import DigitsError
from experiments.pictures import SUFFIXES, read_gray, size_of


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_file_formats(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"seven{suffix}"
    Image.fromarray(stroke()).save(path, lossless=True)  # WebP's option, which the others ignore
    error = np.abs(read_gray(path).astype(int) - stroke())
    # JPEG loses a little.
    assert error.max() <= (40 if suffix in {".jpg", ".jpeg"} else 0)
    assert size_of(path) == (60, 80)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK"])
def test_color_modes(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("seven.tif" if mode == "CMYK" else "seven.png")
    put(path, stroke(), mode)
    gray = read_gray(path)
    assert gray.dtype == np.uint8
    np.testing.assert_array_equal(gray, stroke())


def test_of_16_bits_the_upper_8_are_used(tmp_path: Path) -> None:
    levels = np.arange(16, dtype=np.uint16).reshape(4, 4) * 4096 + 255
    Image.fromarray(levels).save(tmp_path / "levels.png")
    np.testing.assert_array_equal(read_gray(tmp_path / "levels.png"), levels // 256)


def test_colors_become_gray_levels(tmp_path: Path) -> None:
    put(tmp_path / "red.png", np.full((3, 4, 3), [200, 0, 0], np.uint8), "RGB")
    # ITU-R 601-2 luma.
    np.testing.assert_allclose(read_gray(tmp_path / "red.png"), np.full((3, 4), 0.299 * 200), atol=1)


def test_transparent_pixels_are_white(tmp_path: Path) -> None:
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[..., 3] = [[0, 255], [128, 0]]
    Image.fromarray(pixels).save(tmp_path / "ink.png")
    np.testing.assert_allclose(read_gray(tmp_path / "ink.png"), [[255, 0], [127, 255]], atol=1)


def test_a_photo_is_rotated_as_its_exif_orientation_says(tmp_path: Path) -> None:
    turned = Image.fromarray(np.rot90(stroke()).copy())
    exif = turned.getexif()
    exif[0x0112] = 6  # stored a quarter turn anticlockwise
    turned.save(tmp_path / "seven.png", exif=exif)
    np.testing.assert_array_equal(read_gray(tmp_path / "seven.png"), stroke())


@pytest.mark.parametrize("content", [b"no picture", b""], ids=["text", "empty"])
def test_a_file_that_is_no_picture_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.png").write_bytes(content)
    for read in (read_gray, size_of):
        with pytest.raises(DigitsError, match=r"/bad\.png cannot be read as a picture"):
            read(tmp_path / "bad.png")


def test_a_truncated_picture_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cut.png"
    put(path, stroke())
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DigitsError, match=r"/cut\.png cannot be read as a picture"):
        read_gray(path)
