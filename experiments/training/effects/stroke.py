"""Thin and thick pens."""

from typing import Any

from experiments.training.effects.effect import PictureEffect
from experiments.training.effects.sampling import per_image

THICKER, THINNER = 1.0, 0.75  # of the change by one pixel on either side


def apply(images: Any, numbers: Any) -> Any:
    """Mix each image with its dilation or its erosion; the strongest ink of a thinned image is full again."""
    from keras import ops

    amount = per_image(numbers[:, 0])
    thick = _highest(images)
    thin = -_highest(-images)
    mixed = (
        images
        + THICKER * ops.maximum(amount, 0.0) * (thick - images)
        - THINNER * ops.maximum(-amount, 0.0) * (images - thin)
    )
    highest = ops.max(mixed, axis=(1, 2, 3), keepdims=True)
    full = ops.max(images, axis=(1, 2, 3), keepdims=True)
    return mixed * full / ops.maximum(highest, 1e-3)


def _highest(images: Any) -> Any:
    from keras import ops

    return ops.max_pool(images, 3, strides=1, padding="same", data_format="channels_last")


STROKE = PictureEffect("stroke", "thin and thick pens", 1, apply)
