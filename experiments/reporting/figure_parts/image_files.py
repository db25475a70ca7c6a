"""Image files of figures."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COMPRESSION = 3  # of zlib: in two thirds of the time of level 6, 3 % more bytes
DPI = 160  # sharp on high-density screens and in print
COLORS = 256  # maximum of a PNG with a palette
PREVIEW_WIDTH, PREVIEW_QUALITY = 640, 65  # pixels, and WebP's scale to 100: a report has many pictures


def save_picture(figure: "Figure", file: Path) -> None:
    """Save a figure as PNG; the same figure gives the same file."""
    figure.savefig(file, dpi=DPI, metadata={"Software": None}, pil_kwargs={"compress_level": COMPRESSION})


def reduce_colors(file: Path) -> None:
    """Reduce an image file to a palette of its 256 most representative colors: half the size, visually the same."""
    from PIL import Image

    with Image.open(file) as picture:
        reduced = picture.convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
    reduced.save(file, optimize=True)


def save_preview(picture: Path, preview: Path) -> None:
    """Save a smaller copy of an image file as WebP, at most 640 pixels wide; the same picture gives the same file."""
    from PIL import Image

    with Image.open(picture) as full:
        copy = full.convert("RGB")
    copy.thumbnail((PREVIEW_WIDTH, copy.height), Image.Resampling.LANCZOS)
    copy.save(preview, "WEBP", quality=PREVIEW_QUALITY, method=4)


def picture_size(file: Path) -> tuple[int, int]:
    """Return the width and height of an image file in pixels."""
    from PIL import Image

    with Image.open(file) as picture:
        return picture.size


def same_picture(file: Path, other: Path) -> bool:
    """Return whether two image files have the same pixels."""
    from PIL import Image, ImageChops

    with Image.open(file) as first, Image.open(other) as second:
        if first.size != second.size:
            return False
        return ImageChops.difference(first.convert("RGB"), second.convert("RGB")).getbbox() is None
