"""The content of a file after decompression: mirrors compress the same content differently."""

import bz2
import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path

from experiments.errors import DigitsError

_MAGIC = {".gz": b"\x1f\x8b", ".bz2": b"BZh"}


@dataclass(frozen=True)
class Content:
    """The bytes of a file after decompression, and its path for error messages."""

    path: Path
    data: bytes


def read_content(path: Path) -> Content:
    """Read a file and decompress it if its name ends in ``.gz`` or ``.bz2``.

    Raises
    ------
    DigitsError
        If the file cannot be read or is not a complete compressed file.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DigitsError(f"{path} cannot be read: {error.strerror}") from error
    return unpack(path, raw)


def unpack(path: Path, raw: bytes) -> Content:
    """Decompress `raw` as the suffix of `path` says.

    Raises
    ------
    DigitsError
        If it is not a complete compressed file.
    """
    try:
        if path.suffix == ".gz":
            return Content(path, gzip.decompress(raw))
        if path.suffix == ".bz2":
            return Content(path, bz2.decompress(raw))
    except (OSError, EOFError, ValueError, zlib.error) as error:
        expected = {".gz": "gzip", ".bz2": "bzip2"}[path.suffix]
        raise DigitsError(
            f"{path} is not a complete {expected} file, as its name says "
            f"({len(raw):,} bytes that start with {raw[:4].hex() or 'nothing'}: {error})"
        ) from error
    return Content(path, raw)


def content_name(name: str, raw: bytes) -> str:
    """Return the name that fits `raw`: without the suffix if the server has decompressed the file."""
    path = Path(name)
    return name if raw.startswith(_MAGIC.get(path.suffix, b"")) else path.stem
