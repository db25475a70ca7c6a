"""Figures as image files."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 160  # sharp on screens with two pixels to a point, and in print


def save_picture(figure: "Figure", file: Path) -> None:
    """Write a figure as PNG; the same figure makes the same file."""
    figure.savefig(file, dpi=DPI, bbox_inches="tight", metadata={"Software": None})


def picture_size(file: Path) -> tuple[int, int]:
    """Return the width and height of an image file in pixels."""
    from PIL import Image

    with Image.open(file) as picture:
        return picture.size
