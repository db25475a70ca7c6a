"""Pictures out of focus."""

from typing import Any

from experiments.training.effects.effect import PictureEffect
from experiments.training.effects.sampling import above, per_image

RARITY = 0.0  # numbers in [-1, 1) above it are blurred: half of the images
PASSES = 2


def apply(images: Any, numbers: Any) -> Any:
    """Mix each image with a blurred one."""
    from keras import ops

    blurred = images
    for _ in range(PASSES):
        blurred = ops.average_pool(blurred, 3, strides=1, padding="same", data_format="channels_last")
    return images + per_image(above(numbers[:, 0], RARITY)) * (blurred - images)


BLUR = PictureEffect("blur", "pictures out of focus", 1, apply)
