"""Uneven ink, as of pencils and dry pens."""

from typing import Any

from experiments.training.effects.effect import PictureEffect
from experiments.training.effects.sampling import above, per_image, smooth_field

RARITY = 0.0  # numbers in [-1, 1) above it get a texture: half of the images
DEPTH = 0.75  # of the ink that is missing at most
GRID = 9


def apply(images: Any, numbers: Any) -> Any:
    """Weaken the ink of an image by a field of random patches."""
    from keras import ops

    depth = DEPTH * per_image(above(numbers[:, 0], RARITY))
    return images * (1.0 - depth * ops.maximum(smooth_field(numbers[:, 1:], GRID), 0.0))


TEXTURE = PictureEffect("texture", "uneven ink of pencils and dry pens", 1 + GRID * GRID, apply)
