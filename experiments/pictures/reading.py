"""Reader of picture files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.errors import DigitsError

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".tif", ".tiff", ".webp")


def read_gray(path: Path) -> NDArray[np.uint8]:
    """Read a picture of any format and color mode as gray levels, ``uint8 (height, width)``.

    It is rotated as its EXIF orientation says; what is transparent becomes white; of 16 bits the upper 8 are used.

    Raises
    ------
    DigitsError
        If the file cannot be read as a picture.
    """
    with _opened(path) as picture:
        return _to_gray(picture)


def size_of(path: Path) -> tuple[int, int]:
    """Return the width and height of a picture as stored, without decoding it; raises as `read_gray`."""
    with _opened(path) as picture:
        return picture.size


@contextmanager
def _opened(path: Path) -> Iterator["Image.Image"]:
    """Open a picture; errors while opening or decoding it name the file."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            yield picture
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DigitsError(f"{path} cannot be read as a picture: {error}") from error


def _to_gray(picture: "Image.Image") -> NDArray[np.uint8]:
    from PIL import Image, ImageOps

    upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith("I"):
        return _upper_byte(np.asarray(upright))
    paper = Image.new("RGBA", upright.size, "white")
    paper.alpha_composite(upright.convert("RGBA"))
    return np.asarray(paper.convert("L"))


def _upper_byte(values: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Convert values of 16 bits to 8 bits."""
    return (values.astype(np.int64).clip(0, 0xFFFF) >> 8).astype(np.uint8)


MAX_MEGAPIXELS = 100.0


def read_picture(source: Path | bytes, name: str = "", *, max_megapixels: float = MAX_MEGAPIXELS) -> NDArray[np.uint8]:
    """Read a picture as ``uint8 (height, width, 3)``; raises DigitsError if it cannot be read or is too large."""
    import io

    from PIL import Image, ImageOps

    name = name or (str(source) if isinstance(source, Path) else "the picture")
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as picture:
            if picture.size[0] * picture.size[1] > max_megapixels * 1e6:
                raise DigitsError(f"{name} has more than {max_megapixels:g} megapixels")
            upright = ImageOps.exif_transpose(picture)
            if upright.mode.startswith("I"):
                return np.repeat(_upper_byte(np.asarray(upright))[..., None], 3, axis=2)
            paper = Image.new("RGBA", upright.size, "white")
            paper.alpha_composite(upright.convert("RGBA"))
            return np.asarray(paper.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DigitsError(f"{name} cannot be read as a picture: {error}") from error
