"""Files that are no readable picture are refused in one line, before they take time or memory."""

import os
import struct
import sys
import zlib
from pathlib import Path

import pytest
from picture_writer import put, stroke

from benchmarks.fuzz_pictures import big_endian_tiff, pictures
from experiments.errors import DigitsError
from experiments.pictures.reading import read_gray, read_picture, size_of


def empty_png(width: int, height: int) -> bytes:
    """Write a PNG file of 1 bit a pixel that claims to be large and holds a few rows."""
    parts = {b"IHDR": struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0), b"IDAT": zlib.compress(bytes(4000))}
    chunks = (struct.pack(">I", len(data)) + name + data + bytes(4) for name, data in parts.items())
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk[:-4] + struct.pack(">I", zlib.crc32(chunk[4:-4])) for chunk in chunks)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"not a picture", "known format.*PNG, JPEG.*can be read$"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "is an SVG drawing: PNG, JPEG"),
        (b"%PDF-1.7\n", "is a PDF document: PNG, JPEG"),
        (bytes(4) + b"ftypavif", "is an AVIF picture: PNG, JPEG"),
        (b"\x89PNG\r\n\x1a\n" + bytes(20), "its beginning is damaged"),
        (empty_png(20_000, 20_000), r"more than 100 megapixels.*make it smaller, or raise the limit"),
        (empty_png(12_000, 12_000), r"more than 100 megapixels \(12,000x12,000\)"),
    ],
)
def test_what_is_no_picture_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.png"
    path.write_bytes(content)
    for reader in (read_picture, read_gray, size_of):
        with pytest.raises(DigitsError, match=rf"/bad\.png .*{message}"):
            reader(path)
    with pytest.raises(DigitsError, match=f"^upload 3 .*{message}"):
        read_picture(content, "upload 3")


@pytest.mark.parametrize("sample", [name for name in pictures() if "frames" not in name])
def test_a_file_that_was_cut_off_is_named(sample: str) -> None:
    content = pictures()[sample]
    with pytest.raises(DigitsError, match=r"^the picture .*(damaged or cut off|beginning is damaged)"):
        read_picture(content[: len(content) // 2])


def test_paths_that_are_no_readable_files_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "two\nlines\udcff.png").write_text("text")
    names = {"": "is a folder", "no.png": "does not exist", "pipe": "is no regular file", "\0": "cannot be opened"}
    for name, message in {**names, "two\nlines\udcff.png": r"/two\\nlines\\udcff.png is no picture"}.items():
        with pytest.raises(DigitsError, match=message):
            read_picture(tmp_path / name)
    put(tmp_path / "seven.png", stroke())

    def denied(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(DigitsError, match=r"/seven\.png .*no permission"):
        read_picture(tmp_path / "seven.png")


def test_the_limit_holds_for_pixels_tiles_and_bytes(tmp_path: Path) -> None:
    put(tmp_path / "seven.png", stroke())
    assert read_picture(tmp_path / "seven.png", max_megapixels=0.0048).pixels.shape == (80, 60, 3)
    with pytest.raises(DigitsError, match=r"more than 0\.0047 megapixels \(60x80\)"):
        read_picture(tmp_path / "seven.png", max_megapixels=0.0047)
    with pytest.raises(DigitsError, match="more than 100 megapixels"):
        read_picture(big_endian_tiff(stroke(), {322: 60_000, 323: 60_000}))
    with pytest.raises(DigitsError, match="has 2 MB, more than"):
        read_picture(bytes(2_000_000), max_megapixels=0.0001)


def test_heic_without_its_extra_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(DigitsError, match=r"^the picture is a HEIC picture: pip install 'digits\[heic\]'"):
        read_picture(bytes(4) + b"ftypheic")
