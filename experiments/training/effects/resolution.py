"""Digits that were only a few pixels high."""

from typing import Any

from experiments.training.effects.effect import PictureEffect
from experiments.training.effects.sampling import SIDE, above, per_image

RARITY = 0.5  # numbers in [-1, 1) above it get coarse: a quarter of the images


def apply(images: Any, numbers: Any) -> Any:
    """Mix each image with one of half its resolution."""
    from keras import ops

    coarse = ops.average_pool(images, 2, strides=2, padding="valid", data_format="channels_last")
    enlarged = ops.image.resize(coarse, (SIDE, SIDE), interpolation="bilinear", data_format="channels_last")
    return images + per_image(above(numbers[:, 0], RARITY)) * (enlarged - images)


RESOLUTION = PictureEffect("resolution", "digits that are a few pixels high", 1, apply)
