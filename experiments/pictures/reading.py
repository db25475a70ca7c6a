"""Picture files as arrays: upright, in RGB, on white paper, and of a bounded size."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.pictures.opening import DECODER_ERRORS, FORMATS, HEIC_SUFFIXES, MAX_MEGAPIXELS, opened

if TYPE_CHECKING:
    from PIL import Image
    from PIL.ImageFile import ImageFile

SUFFIXES = tuple(sorted((*chain(*FORMATS.values()), *HEIC_SUFFIXES)))

REDUCED_PIXELS = 4_000_000  # strokes of larger pictures are wide enough to be halved
BLOCK = 1024  # A picture is converted in boxes of about this number squared, so that conversions take little memory.
ORIENTATION = 0x0112  # EXIF tag

# Values that are white in pictures of more than 8 bits a channel; the first that all values fit in is taken.
WHITE = (1 << 16) - 1
FLOAT_WHITES = (1, (1 << 8) - 1, WHITE)
# Pictures of 10 to 14 bits stored in 16 would be nearly black; a few counts of noise are to stay black.
DARK, BLACK = 1 / 4, 1 / 2048


@dataclass(frozen=True, eq=False)
class LoadedPicture:
    """A picture in memory.

    Attributes
    ----------
    pixels
        RGB, ``uint8 (height, width, 3)``.
    reduced
        How many pixels of the file a side of one of `pixels` stands for: 1 up to 4 megapixels.
    """

    pixels: NDArray[np.uint8]
    reduced: int = 1


def read_picture(source: Path | bytes, name: str = "", *, max_megapixels: float = MAX_MEGAPIXELS) -> LoadedPicture:
    """Read a picture of any format and color mode; of several frames or pages the first.

    It is rotated as its EXIF orientation says, and what is transparent becomes white. Of 16 bits the upper 8 are used,
    unless that leaves the picture nearly black: then its largest value becomes white. Pictures over 4 megapixels are
    reduced by an integer factor, so that reading 40 megapixels takes less than 600 MB.

    Parameters
    ----------
    source
        A file, or its content.
    name
        How errors call it; the path of a file by default.
    max_megapixels
        Larger pictures are refused before they are decoded. Pillow's own limit is 178.

    Raises
    ------
    DigitsError
        If it cannot be read as a picture, or is too large.
    """
    with opened(source, name, max_megapixels) as picture:
        factor = math.ceil(math.sqrt(math.prod(picture.size) / REDUCED_PIXELS))
        drafted = _draft(picture, factor)
        rest = math.ceil(factor / drafted)
        pixels = _to_rgb(_decoded(picture), rest)
        return LoadedPicture(_upright(pixels, _orientation(picture)), drafted * rest)


def read_gray(path: Path) -> NDArray[np.uint8]:
    """Read a picture as gray levels, ``uint8 (height, width)``; see `read_picture`."""
    from PIL import Image

    return np.asarray(Image.fromarray(read_picture(path).pixels).convert("L"))


def size_of(path: Path) -> tuple[int, int]:
    """Return the width and height of a picture as stored, without decoding it; raises as `read_picture`."""
    with opened(path) as picture:
        return picture.size


def _draft(picture: "ImageFile", factor: int) -> int:
    """Let a JPEG decoder reduce by 2, 4 or 8, at most by `factor`; return by how much it will."""
    if picture.format not in {"JPEG", "MPO"} or factor < 2:
        return 1
    stored, scale = picture.size, min(8, 1 << factor.bit_length() - 1)
    picture.draft(None, (max(1, stored[0] // scale), max(1, stored[1] // scale)))
    return round(max(stored) / max(picture.size))


def _decoded(picture: "ImageFile") -> "Image.Image":
    """Decode the first frame.

    Pillow's WebP reader keeps three copies of the pixels while it makes the fourth: here two are freed before, and the
    third is the picture, because 40 megapixels would take 660 MB.
    """
    from PIL import Image

    decoder = vars(picture).pop("_decoder", None) if picture.format == "WEBP" else None
    if decoder is None:
        picture.load()
        return picture
    if (frame := decoder.get_next()) is None:
        raise ValueError("the first frame cannot be decoded")
    mode = "RGBA" if picture.mode == "RGBA" else "RGBX"
    return Image.frombuffer(mode, picture.size, frame[0], "raw", mode, 0, 1)


def _to_rgb(picture: "Image.Image", factor: int) -> NDArray[np.uint8]:
    """Convert to RGB and average squares of `factor` pixels a side, block by block."""
    width, height = picture.size
    white = _white(picture, factor) if _is_deep(picture) else None
    pixels = np.empty((math.ceil(height / factor), math.ceil(width / factor), 3), np.uint8)
    for box in _boxes(picture, factor):
        block = picture.crop(box)
        reduced = (_colors(block) if white is None else _eight_bits(block, white)).reduce(factor)
        top, left = box[1] // factor, box[0] // factor
        pixels[top : top + reduced.height, left : left + reduced.width] = np.asarray(reduced.convert("RGB"))
    return pixels


def _boxes(picture: "Image.Image", factor: int) -> Iterator[tuple[int, int, int, int]]:
    """Divide a picture into boxes whose sides are divisible by `factor`, except at the right and lower edge."""
    across = math.ceil(min(picture.width, BLOCK) / factor) * factor
    down = math.ceil(BLOCK**2 / across / factor) * factor
    for top in range(0, picture.height, down):
        for left in range(0, picture.width, across):
            yield left, top, min(left + across, picture.width), min(top + down, picture.height)


def _colors(block: "Image.Image") -> "Image.Image":
    from PIL import Image

    if not block.has_transparency_data:
        return block.convert("RGB")
    paper = Image.new("RGBA", block.size, "white")
    paper.alpha_composite(block.convert("RGBA"))
    return paper.convert("RGB")


def _is_deep(picture: "Image.Image") -> bool:
    return picture.mode == "F" or picture.mode.startswith("I")


def _eight_bits(block: "Image.Image", white: float) -> "Image.Image":
    from PIL import Image

    scaled = (_values(block) * (255.999 / white)).clip(0, 255)  # of 16 bits the upper 8
    return Image.fromarray(scaled.astype(np.uint8))


def _white(picture: "Image.Image", factor: int) -> float:
    """Return the value that white has in a picture of more than 8 bits a channel."""
    peak = max(float(_values(picture.crop(box)).max()) for box in _boxes(picture, factor))
    white = next((value for value in (FLOAT_WHITES if picture.mode == "F" else (WHITE,)) if peak <= value), peak)
    return peak if white * BLACK <= peak < white * DARK else white


def _values(block: "Image.Image") -> NDArray[Any]:
    """Return the values of a block; those of a float picture that are no numbers become 0."""
    values: NDArray[Any] = np.nan_to_num(np.asarray(block), nan=0, posinf=0, neginf=0)
    return values.astype(np.float64)


def _orientation(picture: "ImageFile") -> int:
    """Return the EXIF orientation, 1 to 8; a damaged one counts as upright."""
    try:
        return int(picture.getexif().get(ORIENTATION, 1))
    except DECODER_ERRORS:
        return 1


def _upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo an EXIF orientation."""
    if orientation in {5, 6, 7, 8}:
        pixels = pixels.swapaxes(0, 1)
    if orientation in {2, 3, 6, 7}:
        pixels = pixels[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
