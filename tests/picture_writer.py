"""Pictures of digits as a user may have them."""

from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

Color = tuple[float, float, float]


def stroke(width: int = 60, height: int = 80, thickness: int = 8) -> NDArray[np.uint8]:
    """Draw a seven, white on black."""
    image = np.zeros((height, width), np.uint8)
    image[10 : 10 + thickness, 10:-10] = 255
    image[10:-10, -10 - thickness : -10] = 255
    return image


def put(path: Path, pixels: NDArray[np.uint8], mode: str = "L") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).convert(mode).save(path)


def put_classes(folder: Path, classes: range = range(10), each: int = 2) -> None:
    for digit in classes:
        for number in range(each):
            put(folder / str(digit) / f"{number}.png", stroke(thickness=6 + digit))


def on_paper(
    ink: NDArray[np.uint8],
    side: int = 120,
    size: float = 0.8,
    color: Color = (0, 0, 0),
    paper: Color | NDArray[np.float64] = (255, 255, 255),
    place: tuple[float, float] = (0.5, 0.5),
) -> NDArray[np.uint8]:
    """Write an image of white ink on a square of paper: as `size` of its side, its middle at a share (x, y) of it."""
    width = max(1, round(size * side))
    written = Image.new("L", (side, side))
    resized = Image.fromarray(ink).resize((width, width), Image.Resampling.BICUBIC)
    x, y = (round(middle * side - width / 2) for middle in place)
    written.paste(resized, (x, y))
    share = np.asarray(written, np.float64)[..., None] / 255
    return np.rint(share * color + (1 - share) * paper).astype(np.uint8)


def likeness(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Return the correlation of two slightly blurred images, where one of them may be moved by a pixel."""
    a, b = (ndimage.gaussian_filter(image.astype(np.float64), 0.7) for image in (one, other))
    moves = product((-1, 0, 1), repeat=2)
    return max(float(np.corrcoef(np.roll(a, move, (0, 1)).ravel(), b.ravel())[0, 1]) for move in moves)


def put_digits(folder: Path, images: NDArray[np.uint8], labels: NDArray[np.int64] | None = None) -> Path:
    """Write pictures beside each other, or in class folders; return the folder."""
    for number, image in enumerate(images):
        put((folder if labels is None else folder / str(labels[number])) / f"{number:04}.png", image)
    return folder
