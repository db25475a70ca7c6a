"""Slant, size and bends of handwriting."""

import math
from typing import Any

from experiments.training.effects.effect import PictureEffect
from experiments.training.effects.sampling import coordinates, per_image, sample, smooth_field

ANGLE = math.radians(14)
SHEAR = 0.55  # columns a row
SIZE, ASPECT = 0.14, 0.18  # of the logarithm
SHIFT = 2.0  # pixels
GRID = 4  # points of the elastic field along each side
BEND = 2.4  # pixels
AFFINE = 7  # numbers before those of the field


def apply(images: Any, numbers: Any) -> Any:
    """Resample images by an affine map and an elastic field at once, because each resampling blurs."""
    from keras import ops

    angle, shear, size, aspect, down, right, bend = (per_image(numbers[:, i]) for i in range(AFFINE))
    y, x = coordinates()
    y, x = y - SHIFT * down, x - SHIFT * right
    cos, sin = ops.cos(ANGLE * angle), ops.sin(ANGLE * angle)
    y, x = cos * y - sin * x, sin * y + cos * x
    x = x + SHEAR * shear * y
    field = BEND * ops.abs(bend) * smooth_field(numbers[:, AFFINE:], GRID, 2)
    rows = y * ops.exp(SIZE * size + ASPECT * aspect / 2) + field[..., :1]
    columns = x * ops.exp(SIZE * size - ASPECT * aspect / 2) + field[..., 1:]
    return sample(images, rows, columns)


WARP = PictureEffect(
    "warp", "slant, rotation, size, proportions and elastic bends (Simard 2003)", AFFINE + 2 * GRID * GRID, apply
)
