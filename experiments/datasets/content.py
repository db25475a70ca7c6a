"""A file's content: what remains when gzip or bzip2 is taken off, for mirrors compress differently."""

import bz2
import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path

from experiments.errors import DigitsError

_MAGIC = {".gz": b"\x1f\x8b", ".bz2": b"BZh"}


@dataclass(frozen=True)
class Content:
    """The bytes of a file after decompression, and the file to name when they are not as they must be."""

    path: Path
    data: bytes


def read_content(path: Path) -> Content:
    """Read a file; a name ending in ``.gz`` or ``.bz2`` must hold what it says.

    Raises
    ------
    DigitsError
        When the file cannot be read or is not a complete compressed file.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DigitsError(f"{path} cannot be read: {error.strerror}") from error
    return unpack(path, raw)


def unpack(path: Path, raw: bytes) -> Content:
    """Take the compression that the suffix of `path` names off the bytes `raw`.

    Raises
    ------
    DigitsError
        When they are not a complete compressed file.
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
    """Return the name that is true for `raw`: without ``.gz`` when a server has decompressed on the way."""
    path = Path(name)
    return name if raw.startswith(_MAGIC.get(path.suffix, b"")) else path.stem
