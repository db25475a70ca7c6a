"""Digits of a font, and a network that knows them: rows can be read without training."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from experiments.datasets.dataset import Split
from experiments.pictures.normalization import SIDE, fit_to_mnist

SHARPNESS = 60.0  # of the logits: how fast they fall with the distance from a digit
FAINT = 40  # gray level below which soft edges are cut off
ALIKE = 0.8  # correlation with a digit of what may be one


def printed_digits(size: int = 48, width: float = 1.0, blur: float = 0.0) -> Split:
    """Draw the ten digits in MNIST's form, of some size in pixels, made wider and out of focus."""
    images = []
    for digit in range(10):
        canvas = Image.new("L", (2 * size, 2 * size))
        ImageDraw.Draw(canvas).text((size // 2, size // 4), str(digit), fill=255, font=ImageFont.load_default(size))
        wide = np.asarray(canvas.resize((round(2 * size * width), 2 * size)), np.float32)
        soft = ndimage.gaussian_filter(wide, blur * size)
        images.append(fit_to_mnist(np.where(soft > FAINT, soft, 0).astype(np.uint8)))
    return Split(np.stack(images), np.arange(10))


@dataclass(frozen=True, eq=False)
class Scores:
    logits: NDArray[np.float64]
    features: NDArray[np.float64]


class TemplateNetwork:
    """Its logits are the correlations with the printed digits."""

    def __init__(self) -> None:
        drawn = [printed_digits(48, width, blur) for width in (0.8, 1.0, 1.2) for blur in (0.0, 0.02, 0.04)]
        self._templates = np.stack([_unit(split.images) for split in drawn])
        self.batches: list[int] = []

    def scores(self, images: NDArray[np.float32]) -> Scores:
        self.batches.append(len(images))
        correlation = (_unit(images) @ self._templates.transpose(0, 2, 1)).max(axis=0)
        return Scores(SHARPNESS * (correlation - ALIKE), correlation)


def _unit(images: NDArray[Any]) -> NDArray[np.float64]:
    """Blur images, so that a pixel more or less does not matter, and scale them to mean 0 and length 1."""
    soft = ndimage.gaussian_filter(images.reshape(-1, SIDE, SIDE).astype(np.float64), (0, 1, 1))
    flat = soft.reshape(len(images), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    unit: NDArray[np.float64] = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)
    return unit
