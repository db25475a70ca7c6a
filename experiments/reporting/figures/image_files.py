"""Figures as image files."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 160  # sharp on screens with two pixels to a point, and in print
COLORS = 256  # the most that a PNG with a palette has


def save_picture(figure: "Figure", file: Path) -> None:
    """Write a figure as PNG; the same figure makes the same file."""
    figure.savefig(file, dpi=DPI, bbox_inches="tight", metadata={"Software": None})


def reduce_colors(file: Path) -> None:
    """Write an image file anew with the colors that stand for its own best: half as large, to the eye the same."""
    from PIL import Image

    with Image.open(file) as picture:
        reduced = picture.convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
    reduced.save(file, optimize=True)


def picture_size(file: Path) -> tuple[int, int]:
    """Return the width and height of an image file in pixels."""
    from PIL import Image

    with Image.open(file) as picture:
        return picture.size
