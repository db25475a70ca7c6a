"""Read damaged picture files: ``python benchmarks/fuzz_pictures.py``. Each must be read or end in a DigitsError.

Small pictures of every format and color mode are damaged at random, by seed and number: bits flipped, bytes cut off,
inserted, replaced by part of another file, or numbers in the header set to extremes. The checksums of PNG files are
mostly corrected afterwards, for otherwise few would get past them.
"""

import argparse
import faulthandler
import resource
import struct
import sys
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from experiments.errors import DigitsError
from experiments.pictures.reading import read_picture

SECONDS = 10.0  # for one file
HANGS = 120.0  # seconds until the process is ended, with the place where it hangs
MEGABYTES = 1000.0  # of the process: a few damaged bytes may ask for the 100 megapixels that are allowed
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


@dataclass
class Outcomes:
    """Outcomes of reading the files.

    Attributes
    ----------
    counts
        Number of files by outcome: "read", or the kind of error behind the DigitsError.
    failures
        The number of each file that ended in another way, and how.
    slowest
        Seconds for the slowest file, and its number.
    """

    counts: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[int, str]] = field(default_factory=list)
    slowest: tuple[float, int] = (0.0, -1)


def fuzz(seed: int, numbers: range) -> Outcomes:
    """Read the damaged files of a seed with the given numbers."""
    samples, outcomes = list(pictures().values()), Outcomes()
    for number in numbers:
        content = damaged(np.random.default_rng([seed, number]), samples)
        faulthandler.dump_traceback_later(HANGS, exit=True)
        start = perf_counter()
        try:
            outcomes.counts[outcome_of(content)] += 1
        except Exception as error:  # every kind is a finding
            outcomes.failures.append((number, f"{type(error).__name__}: {error}"))
        outcomes.slowest = max(outcomes.slowest, (perf_counter() - start, number))
    faulthandler.cancel_dump_traceback_later()
    if outcomes.slowest[0] > SECONDS:
        outcomes.failures.append((outcomes.slowest[1], f"took {outcomes.slowest[0]:.1f} s"))
    return outcomes


def outcome_of(content: bytes) -> str:
    """Read a file, and return "read" or the kind of error behind the DigitsError; raise if it is neither."""
    try:
        pixels = read_picture(content).pixels
    except DigitsError as error:
        if len(str(error).splitlines()) != 1 or not str(error).isprintable():
            raise ValueError(f"not one line: {error}") from error
        return type(error.__cause__).__name__ if error.__cause__ else "refused"
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise ValueError(f"read as {pixels.dtype} {pixels.shape}")
    return "read"


def damaged(rng: Generator, samples: list[bytes]) -> bytes:
    """Damage a random sample in one to three ways."""
    content = bytearray(samples[rng.integers(len(samples))])
    for _ in range(rng.integers(1, 4)):
        damage: Callable[[Generator, bytearray, list[bytes]], None] = DAMAGES[rng.integers(len(DAMAGES))]
        damage(rng, content, samples)
    return with_checksums(bytes(content)) if rng.random() < 0.8 else bytes(content)


def _flip_bits(rng: Generator, content: bytearray, _: list[bytes]) -> None:
    for _flip in range(min(len(content), int(rng.integers(1, 9)))):
        content[rng.integers(len(content))] ^= 1 << rng.integers(8)


def _cut(rng: Generator, content: bytearray, _: list[bytes]) -> None:
    del content[int(rng.integers(len(content) + 1)) :]


def _remove(rng: Generator, content: bytearray, _: list[bytes]) -> None:
    start = int(rng.integers(len(content) + 1))
    del content[start : start + int(rng.integers(1, 17))]


def _splice(rng: Generator, content: bytearray, samples: list[bytes]) -> None:
    """Overwrite, insert or continue with a part of another file."""
    other = samples[rng.integers(len(samples))]
    start, source = int(rng.integers(len(content) + 1)), int(rng.integers(len(other)))
    length = int(rng.integers(1, len(other) + 1))
    end = [start, start + length, len(content)][rng.integers(3)]
    content[start:end] = other[source : source + length]


def _edit_header(rng: Generator, content: bytearray, _: list[bytes]) -> None:
    """Set a number of 1, 2 or 4 bytes in the first or last 128 bytes to an extreme."""
    size, value = int(rng.choice([1, 2, 4])), EXTREMES[rng.integers(len(EXTREMES))]
    start = int(rng.integers(min(len(content), 128) + 1))
    if rng.random() < 0.25:  # TIFF files end with their directory
        start = len(content) - start
    content[start : start + size] = (value % 256**size).to_bytes(size, "little" if rng.random() < 0.5 else "big")


DAMAGES = (_flip_bits, _cut, _remove, _splice, _edit_header, _edit_header)


def with_checksums(content: bytes) -> bytes:
    """Correct the checksums of the chunks of a PNG file, as far as there are whole chunks."""
    parts, position = [content[:8]], 8
    while content.startswith(b"\x89PNG") and position + 12 <= len(content):
        end = position + 8 + int.from_bytes(content[position : position + 4], "big")
        if end + 4 > len(content):
            break
        parts += [content[position:end], struct.pack(">I", zlib.crc32(content[position + 4 : end]))]
        position = end + 4
    return b"".join([*parts, content[position:]])


@cache
def pictures() -> dict[str, bytes]:
    """Write small pictures in every format and color mode; their names are "FORMAT what"."""
    rows, columns = np.mgrid[:20, :24]
    gray = np.where((rows - 10) ** 2 + (columns - 12) ** 2 < 50, 30, 220).astype(np.uint8)
    color = np.stack([gray, gray // 2 + columns.astype(np.uint8), 255 - gray], axis=-1)
    rgb = Image.fromarray(color)
    rgba = Image.fromarray(np.dstack([color, 255 - gray]))
    modes = {mode: Image.fromarray(gray).convert(mode) for mode in ("1", "L", "LA")}
    modes |= {"RGB": rgb, "RGBA": rgba, "CMYK": rgb.convert("CMYK"), "P": rgb.quantize(16), "LAB": rgb.convert("LAB")}
    modes |= {"YCbCr": rgb.convert("YCbCr"), "I;16": Image.fromarray(gray.astype(np.uint16) * 257)}
    modes |= {"F": Image.fromarray(gray / np.float32(255)), "I": Image.fromarray(gray.astype(np.int32) * 257)}
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a picture"
    written: dict[str, dict[str, dict[str, Any]]] = {
        "PNG": {mode: {} for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")},
        "JPEG": {mode: {"exif": exif} for mode in ("L", "RGB", "CMYK")},
        "WEBP": {"RGB": {"exif": exif}, "RGBA": {"lossless": True}},
        "BMP": {mode: {} for mode in ("1", "L", "P", "RGB", "RGBA")},
        "GIF": {mode: {} for mode in ("L", "P", "RGBA")},
        "PPM": {mode: {} for mode in ("1", "L", "RGB", "I;16", "F")},
        "TIFF": {mode: {} for mode in modes},
    }
    contents = {
        f"{name} {mode}": _written(modes[mode], name, **options)
        for name, each in written.items()
        for mode, options in each.items()
    }
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "group4", "tiff_lzma", "zstd"):
        mode = "1" if compression == "group4" else "RGB"
        contents[f"TIFF {compression}"] = _written(modes[mode], "TIFF", compression=compression, exif=exif)
    contents["TIFF big-endian"] = big_endian_tiff(gray)
    contents["JPEG progressive"] = _written(rgb, "JPEG", progressive=True)
    contents["PNG transparent"] = _written(modes["P"], "PNG", transparency=b"\0\x80\xff", exif=exif, dpi=(300, 300))
    for name in ("GIF", "PNG", "WEBP", "TIFF"):
        contents[f"{name} frames"] = _written(rgba, name, save_all=True, append_images=[rgb.rotate(90), rgba])
    contents["JPEG frames"] = _written(rgb, "MPO", save_all=True, append_images=[rgb])
    plain = " ".join(map(str, gray.ravel()))
    contents["PPM plain"] = f"P2\n# a picture\n24 20\n255\n{plain}\n".encode()
    contents["PPM 12 bits"] = b"P5 24 20 4095\n" + (gray.astype(np.uint16) * 16).astype(">u2").tobytes()
    return contents | _heic(rgb)


def _written(picture: Image.Image, name: str, **options: Any) -> bytes:
    stream = BytesIO()
    picture.save(stream, name, **options)
    return stream.getvalue()


def big_endian_tiff(gray: NDArray[np.uint8], further_tags: dict[int, int] | None = None) -> bytes:
    """Write a TIFF file of 16 bits as a Macintosh does."""
    values = (gray.astype(np.uint16) * 257).astype(">u2").tobytes()
    height, width = gray.shape
    tags = {256: width, 257: height, 258: 16, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: len(values)}
    tags |= further_tags or {}
    entries = b"".join(struct.pack(">HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"MM\0*" + struct.pack(">I", 8 + len(values)) + values + struct.pack(">H", len(tags)) + entries + bytes(4)


def _heic(picture: Image.Image) -> dict[str, bytes]:
    try:
        from pillow_heif import from_pillow
    except ImportError:
        return {}
    stream = BytesIO()
    from_pillow(picture).save(stream, quality=90)
    return {"HEIC RGB": stream.getvalue()}


def main() -> int:
    """Print the number of files by outcome, the slowest and the peak memory; 1 if a bound does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, metavar="NUMBER", help="write this damaged file to standard output")
    options = parser.parse_args()
    if options.only is not None:
        content = damaged(np.random.default_rng([options.seed, options.only]), list(pictures().values()))
        sys.stdout.buffer.write(content)
        return 0
    start = perf_counter()
    outcomes = fuzz(options.seed, range(options.files))
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    for outcome, count in outcomes.counts.most_common():
        print(f"{count:7,}  {outcome}")
    print(f"{options.files:,} files in {perf_counter() - start:.0f} s; the slowest took {outcomes.slowest[0]:.2f} s")
    print(f"peak memory {megabytes:.0f} MB")
    if megabytes > MEGABYTES:
        outcomes.failures.append((-1, f"more than {MEGABYTES:.0f} MB"))
    for number, failure in outcomes.failures:
        print(f"file {number}: {failure}")
    return bool(outcomes.failures)


if __name__ == "__main__":
    sys.exit(main())
