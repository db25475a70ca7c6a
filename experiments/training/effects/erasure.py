"""Broken strokes."""

import math
from typing import Any

from experiments.training.effects.effect import PictureEffect
from experiments.training.effects.sampling import above, coordinates, per_image

RARITY = 0.5  # numbers in [-1, 1) above it get a gap: a quarter of the images
WIDTH = 1.3  # pixels, half of the gap at most
REACH = 9.0  # pixels from the center


def apply(images: Any, numbers: Any) -> Any:
    """Erase a straight strip of random place and direction from each image that gets one."""
    from keras import ops

    width = WIDTH * per_image(above(numbers[:, 0], RARITY))
    angle = math.pi * per_image(numbers[:, 1])
    y, x = coordinates()
    distance = ops.abs(ops.cos(angle) * y + ops.sin(angle) * x - REACH * per_image(numbers[:, 2]))
    return images * (1.0 - ops.sign(width) * ops.clip(width + 0.5 - distance, 0.0, 1.0))


ERASURE = PictureEffect("erasure", "broken strokes", 3, apply)
