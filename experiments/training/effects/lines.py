"""Ruled lines that a picture's preparation left."""

from typing import Any

from experiments.training.effects.effect import PictureEffect
from experiments.training.effects.sampling import SIDE, above, coordinates, per_image

RARITY = 0.7  # numbers in [-1, 1) above it get a line: 15 %
WIDTH = 1.2  # pixels, at most
SLOPE = 0.06  # rows a column


def apply(images: Any, numbers: Any) -> Any:
    """Draw one line, horizontal or vertical, anywhere over each image that gets one."""
    from keras import ops

    present = ops.sign(above(numbers[:, 0], RARITY))
    place, slope, width, strength = (per_image(numbers[:, i]) for i in range(1, 5))
    y, x = coordinates()
    horizontal = per_image(ops.cast(numbers[:, 5] < 0, "float32"))
    across = horizontal * y + (1.0 - horizontal) * x
    along = horizontal * x + (1.0 - horizontal) * y
    distance = ops.abs(across - SIDE / 2 * place - SLOPE * slope * along)
    line = ops.clip(1.0 + WIDTH * (width + 1.0) / 2 - distance, 0.0, 1.0) * (0.6 + 0.4 * strength)
    return ops.maximum(images, line * per_image(present))


LINES = PictureEffect("lines", "ruled and squared paper", 6, apply)
