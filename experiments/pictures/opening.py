"""Safe opening of picture files: known formats, bounded dimensions, and errors of one line."""

import ctypes
import logging
import stat
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, NoReturn

from experiments.errors import DigitsError, first_line

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

MAX_MEGAPIXELS = 100.0
MAX_BYTES_PER_PIXEL = 4  # of a file: some decoders hold the whole of it
READABLE = "PNG, JPEG, WebP, BMP, TIFF, GIF, PGM, PPM and HEIC"

# Other formats of Pillow stay closed: each is one more decoder that a hostile file could reach.
FORMATS = {
    "PNG": (".png",),
    "JPEG": (".jpeg", ".jpg"),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "PPM": (".pgm", ".ppm"),
    "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
}
HEIC_SUFFIXES = (".heic", ".heif")
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1")
FOREIGN = {b"%PDF": "a PDF document", b"<svg": "an SVG drawing", b"ftypavif": "an AVIF picture"}

# What Pillow's decoders raise for damaged files, found by benchmarks/fuzz_pictures.py or reported by others.
DECODER_ERRORS = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, OSError, RuntimeError, SyntaxError, TypeError),
    *(ValueError, struct.error, zlib.error),
)


@contextmanager
def opened(source: Path | bytes, name: str = "", max_megapixels: float = MAX_MEGAPIXELS) -> Iterator["ImageFile"]:
    """Open a picture without decoding it, and turn errors of decoding inside the block into one line.

    Parameters
    ----------
    source
        A file, or its content.
    name
        How errors call it; the path of a file by default.

    Raises
    ------
    DigitsError
        If `source` is no picture of a known format, has more than `max_megapixels` million pixels, or is damaged.
    """
    called = printable(name or (str(source) if isinstance(source, Path) else "the picture"))
    with (
        _stream(source, called, max_megapixels) as stream,
        _quiet(),
        _one_line(called),
        _identified(stream, called, max_megapixels) as picture,
    ):
        _require_size(picture, called, max_megapixels)
        if picture.format == "TIFF":
            _silence_libtiff()
        yield picture


def printable(name: str) -> str:
    """Return `name` with line breaks, control characters and undecodable bytes written as escapes."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in name)


def _require_size(picture: "ImageFile", name: str, max_megapixels: float) -> None:
    """Raise DigitsError if the picture, or one of the tiles in which a TIFF file is stored, is too large."""
    width, height = picture.size
    tags = getattr(picture, "tag_v2", {})
    tile = tags.get(322, 0) * tags.get(323, 0)
    if max(width * height, tile) > max_megapixels * 1e6:
        _too_large(name, max_megapixels, f" ({width:,}x{height:,})")


def _too_large(name: str, max_megapixels: float, size: str = "") -> NoReturn:
    raise DigitsError(
        f"{name} has more than {max_megapixels:g} megapixels{size}: make it smaller, or raise the limit (at most 178)"
    )


@contextmanager
def _stream(source: Path | bytes, name: str, max_megapixels: float) -> Iterator[IO[bytes]]:
    """Open the content; what is empty, too long or no regular file is refused before it is read."""
    if isinstance(source, bytes):
        _require_bytes(len(source), name, max_megapixels)
        yield BytesIO(source)
        return
    try:
        kind = source.stat()
        if stat.S_ISDIR(kind.st_mode):
            raise DigitsError(f"{name} is a folder: name a picture in it")
        if not stat.S_ISREG(kind.st_mode):
            raise DigitsError(f"{name} is no regular file: save the picture in one")
        _require_bytes(kind.st_size, name, max_megapixels)
        stream = source.open("rb")
    except FileNotFoundError:
        raise DigitsError(f"{name} does not exist: check the path") from None
    except PermissionError:
        raise DigitsError(f"{name} cannot be opened: you have no permission to read it") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DigitsError(f"{name} cannot be opened ({reason}): check the path") from error
    with stream:
        yield stream


def _require_bytes(size: int, name: str, max_megapixels: float) -> None:
    if not size:
        raise DigitsError(f"{name} is empty: save or copy the picture again")
    limit = max_megapixels * MAX_BYTES_PER_PIXEL
    if size > max(limit, 1) * 1e6:
        raise DigitsError(f"{name} has {size / 1e6:,.0f} MB, more than {limit:,.0f}: make the picture smaller")


def _identified(stream: IO[bytes], name: str, max_megapixels: float) -> "ImageFile":
    from PIL import Image, UnidentifiedImageError

    head = stream.read(256)
    if head[4:8] == b"ftyp" and head[8:12] in HEIC_BRANDS:
        return _heic(stream, name)
    try:
        return Image.open(stream, formats=tuple(FORMATS))
    except Image.DecompressionBombError:
        _too_large(name, max_megapixels)
    except UnidentifiedImageError:
        foreign = next((f"is {kind}" for mark, kind in FOREIGN.items() if mark in head), None)
        what = foreign or "is no picture of a known format, or its beginning is damaged"
        raise DigitsError(f"{name} {what}: {READABLE} can be read") from None


def _heic(stream: IO[bytes], name: str) -> "ImageFile":
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        raise DigitsError(
            f"{name} is a HEIC picture: pip install 'digits[heic]' to read it, or convert it to JPEG"
        ) from None
    stream.seek(0)
    picture: ImageFile = HeifImageFile(stream)
    return picture


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence Pillow's warnings and log: what matters of them is raised as an error."""
    logger, handler = logging.getLogger("PIL"), logging.NullHandler()
    logger.addHandler(handler)  # without any, Python prints what is logged
    try:
        with warnings.catch_warnings():
            # By module: threads that restore the filters of each other can then hide no warnings but Pillow's.
            warnings.filterwarnings("ignore", module=r"(PIL|pillow_heif)\b")
            yield
    finally:
        logger.removeHandler(handler)


def _silence_libtiff() -> None:
    """Keep libtiff from printing what is wrong with a file, where Pillow's copy can be reached."""
    from PIL import _imaging

    with suppress(AttributeError, OSError):
        library = ctypes.CDLL(_imaging.__file__)
        library.TIFFSetErrorHandler(None)
        library.TIFFSetWarningHandler(None)


@contextmanager
def _one_line(name: str) -> Iterator[None]:
    try:
        yield
    except MemoryError as error:
        raise DigitsError(f"{name} needs more memory than there is: make the picture smaller") from error
    except DECODER_ERRORS as error:
        reason = printable(first_line(error))[:100]
        raise DigitsError(f"{name} is damaged or cut off ({reason}): save or copy it again") from error
