"""Pictures of any format and color mode are read as what was written: upright, in RGB, on white."""

import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from picture_writer import stroke
from PIL import Image, ImageOps

from benchmarks import fuzz_pictures
from benchmarks.memory import peak_memory
from experiments.pictures import reading
from experiments.pictures.reading import SUFFIXES, read_gray, read_picture, size_of

LEVELS = np.arange(16, dtype=np.uint16).reshape(4, 4)


def written(pixels: NDArray[Any], kind: str, **options: Any) -> bytes:
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_file_formats(tmp_path: Path, suffix: str) -> None:
    path, picture = tmp_path / f"seven{suffix}", Image.fromarray(stroke())
    if suffix in {".heic", ".heif"}:
        pytest.importorskip("pillow_heif").from_pillow(picture).save(path, quality=100)
    else:
        picture.save(path, lossless=True)  # WebP's option, which the others ignore
    error = np.abs(read_gray(path).astype(int) - stroke())
    assert error.max() <= (40 if suffix in {".jpg", ".jpeg", ".heic", ".heif"} else 0)
    assert size_of(path) == (60, 80)
    np.testing.assert_array_equal(read_picture(path.read_bytes()).pixels, read_picture(path).pixels)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "LAB"])
def test_color_modes(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("seven.tif" if mode in {"CMYK", "LAB"} else "seven.png")
    rgb = np.dstack([stroke()] * 3)
    colors = Image.fromarray(rgb if mode == "LAB" else stroke())  # Pillow does not convert gray to LAB
    colors.convert(mode).save(path)
    np.testing.assert_allclose(read_picture(path).pixels, rgb, atol=1 if mode == "LAB" else 0)


def test_colors_stay_and_transparency_becomes_white() -> None:
    red = np.full((8, 8, 3), [200, 0, 0], np.uint8)
    ink = np.zeros((2, 2, 4), np.uint8)
    ink[..., 3] = [[0, 255], [128, 0]]
    for content in (written(red, "PNG"), written(red, "BMP"), written(red, "GIF")):
        np.testing.assert_array_equal(read_picture(content).pixels, red)
    # JPEG stores CMYK inverted, as Adobe does.
    stream = BytesIO()
    Image.fromarray(red).convert("CMYK").save(stream, "JPEG", quality=100)
    np.testing.assert_allclose(read_picture(stream.getvalue()).pixels, red, atol=3)
    np.testing.assert_allclose(read_picture(written(ink, "PNG")).pixels[..., 0], [[255, 0], [127, 255]], atol=1)
    palette = written(np.array([[0, 1]], np.uint8), "PNG", transparency=0)
    np.testing.assert_array_equal(read_picture(palette).pixels[..., 0], [[255, 1]])


@pytest.mark.parametrize(
    ("values", "white"),
    [
        (LEVELS * 4096 + 255, 65535),
        (LEVELS * 200, 3000),  # 12 bits in 16
        (LEVELS % 4, 65535),  # noise stays black
        (LEVELS * 0, 65535),
        (LEVELS.astype(np.int32) * 100_000, 1_500_000),
        (LEVELS / np.float32(15), 1),
        (LEVELS.astype(np.float32) * 16, 255),
        (np.where(LEVELS == 1, np.nan, LEVELS / np.float32(15)).astype(np.float32), 1),
    ],
)
def test_deep_pictures(values: NDArray[Any], white: float) -> None:
    expected = np.nan_to_num(values.astype(float)) / white * 255
    for kind in ["TIFF", *(["PNG", "PPM"] if values.dtype == np.uint16 else [])]:
        pixels = read_picture(written(values, kind)).pixels[..., 0]
        np.testing.assert_allclose(pixels, expected, atol=1)
        if white == 65535:
            np.testing.assert_array_equal(pixels, values // 256)


def test_a_tiff_of_16_bits_and_a_pgm_of_12_in_big_endian_order() -> None:
    samples = fuzz_pictures.pictures()
    gray = read_picture(samples["PNG L"]).pixels
    np.testing.assert_array_equal(read_picture(samples["TIFF big-endian"]).pixels, gray)
    np.testing.assert_allclose(read_picture(samples["PPM 12 bits"]).pixels, gray.astype(float), atol=1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_rotated_as_its_exif_orientation_says(orientation: int) -> None:
    picture, exif = Image.fromarray(stroke()).convert("RGB"), Image.Exif()
    exif[0x0112] = orientation
    for kind in ("PNG", "TIFF", "WEBP", "JPEG"):
        stream = BytesIO()
        picture.save(stream, kind, exif=exif, lossless=True)
        upright = ImageOps.exif_transpose(Image.open(stream)).convert("RGB")
        np.testing.assert_array_equal(read_picture(stream.getvalue()).pixels, np.asarray(upright))


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_several_frames_the_first_is_read(kind: str) -> None:
    later = [Image.new("L", (60, 80), level) for level in (100, 200)]
    content = written(stroke(), kind, save_all=True, append_images=later, lossless=True)
    np.testing.assert_array_equal(read_picture(content).pixels[..., 0], stroke())


@pytest.mark.parametrize(("kind", "mode"), [*(("PNG", mode) for mode in ("L", "RGBA", "P", "I;16")), ("JPEG", "RGB")])
def test_large_pictures_are_averaged(monkeypatch: pytest.MonkeyPatch, kind: str, mode: str) -> None:
    monkeypatch.setattr(reading, "REDUCED_PIXELS", 60 * 80 / 8)  # a factor of 3, of which JPEG's decoder does 2
    monkeypatch.setattr(reading, "BLOCK", 16)
    factor = 4 if kind == "JPEG" else 3
    picture, stream = Image.fromarray(stroke()), BytesIO()
    (Image.fromarray(stroke().astype(np.uint16) << 8) if mode == "I;16" else picture.convert(mode)).save(stream, kind)
    read = read_picture(stream.getvalue())
    assert read.reduced == factor
    padded = np.pad(stroke(), ((0, -80 % factor), (0, -60 % factor)), "edge").astype(float)
    rows, columns = (side // factor for side in padded.shape)
    means = padded.reshape(rows, factor, columns, factor).mean((1, 3))
    np.testing.assert_allclose(read.pixels[..., 0], means, atol=25 if kind == "JPEG" else 1)


def test_4_megapixels_and_a_single_pixel_are_not_reduced() -> None:
    for width, height in ((2000, 2000), (1, 1)):
        picture = read_picture(written(np.zeros((height, width), np.uint8), "PNG"))
        assert (picture.pixels.shape, picture.reduced) == ((height, width, 3), 1)


def test_2_percent_of_the_damaged_files_of_the_benchmark(capfd: pytest.CaptureFixture[str]) -> None:
    outcomes = fuzz_pictures.fuzz(0, range(0, 10_000, 50))
    assert not outcomes.failures
    assert outcomes.counts["read"] >= 20
    assert outcomes.counts["OSError"] >= 20
    assert capfd.readouterr() == ("", "")


@given(beginning=st.sampled_from([content[:40] for content in fuzz_pictures.pictures().values()]), rest=st.binary())
@example(beginning=b"", rest=b"")
def test_random_bytes_are_refused_or_read(beginning: bytes, rest: bytes) -> None:
    assert fuzz_pictures.outcome_of(beginning + rest)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "kind", "options"),
    [
        *((mode, "PNG", {"compress_level": 1}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
        *((mode, "JPEG", options) for mode in ("L", "RGB", "CMYK") for options in ({}, {"progressive": True})),
        *(("RGB", kind, {"method": 0}) for kind in ("BMP", "GIF", "PPM", "WEBP")),
        *((mode, "TIFF", {"compression": "tiff_lzw"}) for mode in ("RGBA", "F", "LAB")),
    ],
)
def test_40_megapixels_take_less_than_600_mb(tmp_path: Path, mode: str, kind: str, options: dict[str, Any]) -> None:
    path = tmp_path / "large"
    write = f"""if 1:
        import numpy as np
        from PIL import Image
        picture = Image.radial_gradient("L").resize((8000, 5000))
        deep = {mode == "I;16"} and Image.fromarray(np.asarray(picture).astype(np.uint16) * 257)
        (deep or picture.convert("RGB").convert({mode!r})).save({str(path)!r}, {kind!r}, **{options})
    """
    subprocess.run([sys.executable, "-c", write], check=True)
    read = "import sys, pathlib; from experiments.pictures.reading import read_picture; "
    read += "assert read_picture(pathlib.Path(sys.argv[1])).reduced == 4"
    peak = peak_memory([sys.executable, "-c", read, str(path)])
    assert peak < 600e6
