"""Parts of the digits to the left and right, as in cut-out pictures of rows."""

from typing import Any

from experiments.training.effects.effect import PictureEffect
from experiments.training.effects.sampling import above, coordinates, per_image, sample

RARITY = 0.4  # numbers in [-1, 1) above it get a neighbor: 30 %
NEAR, FAR = 13.0, 21.0  # pixels between the middles
HEIGHT = 4.0  # pixels up or down
SMALLER = 0.3  # of the logarithm of the size: a box around both holds a smaller digit


def apply(images: Any, numbers: Any) -> Any:
    """Put a part of another image of the batch beside each image; shrink some of both as a common box would."""
    from keras import ops

    present = ops.sign(above(numbers[:, 0], RARITY))
    distance = (NEAR + FAR) / 2 + (FAR - NEAR) / 2 * numbers[:, 1]
    side = ops.where(numbers[:, 2] < 0, -1.0, 1.0)
    y, x = coordinates()
    scale = ops.exp(SMALLER * per_image(present * ops.maximum(numbers[:, 4], 0.0)))
    y, x = y * scale, x * scale
    others = sample(ops.roll(images, 1, axis=0), y - HEIGHT * per_image(numbers[:, 3]), x - per_image(distance * side))
    return ops.maximum(sample(images, y, x), others * per_image(present))


NEIGHBORS = PictureEffect("neighbors", "parts of neighboring digits", 5, apply)
