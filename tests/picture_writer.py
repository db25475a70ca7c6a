"""Pictures of digits as a user may have them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image


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


def put_digits(folder: Path, images: NDArray[np.uint8], labels: NDArray[np.int64] | None = None) -> Path:
    """Write pictures beside each other, or in class folders; return the folder."""
    for number, image in enumerate(images):
        put((folder if labels is None else folder / str(labels[number])) / f"{number:04}.png", image)
    return folder
