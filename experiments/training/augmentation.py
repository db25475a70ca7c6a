"""Random affine warps of a batch of images, by Keras's operations: the same on every backend."""

from typing import Any

from experiments.models import Recipe

AMOUNTS = 4  # numbers that a warp is made of


def warp(images: Any, amounts: Any, recipe: Recipe) -> Any:
    """Rotate, scale and shift each image by its own amount, in one bilinear resampling.

    Parameters
    ----------
    images
        Tensor float32 (b, h, w, 1).
    amounts
        Tensor float32 (4, b), uniform in [-1, 1): of rotation, zoom, shift down and shift to the right, as shares of
        their ranges.
    recipe
        Gives the ranges: `rotation` in degrees, `zoom` and `shift` as shares, each times `augmentation`.

    Returns
    -------
    Tensor float32 (b, h, w, 1); what comes in from outside the picture is 0.
    """
    from keras import ops

    return ops.image.affine_transform(
        images,
        _transforms(images, amounts * recipe.augmentation, recipe),
        interpolation="bilinear",
        fill_mode="constant",
        fill_value=0,
        data_format="channels_last",
    )


def _transforms(images: Any, amounts: Any, recipe: Recipe) -> Any:
    """Return float32 (b, 8): for each image the map from output to input coordinates."""
    import math

    angle = amounts[0] * math.radians(recipe.rotation)
    scale = 1.0 / (1.0 + amounts[1] * recipe.zoom)
    height, width = float(images.shape[1]), float(images.shape[2])
    return affine_transforms(
        angle, scale, amounts[2] * recipe.shift * height, amounts[3] * recipe.shift * width, height, width
    )


def affine_transforms(angle: Any, scale: Any, down: Any, right: Any, height: float, width: float) -> Any:
    """Return the projective transforms that turn and scale about the centre, then shift.

    Parameters
    ----------
    angle, scale, down, right
        Tensors float32 (b,): radians, input pixels an output pixel, pixels, pixels.
    height, width
        Size of the picture in pixels.

    Returns
    -------
    Tensor float32 (b, 8): rows ``[a0, a1, a2, b0, b1, b2, 0, 0]``; output point (x, y) shows input point
    (a0 x + a1 y + a2, b0 x + b1 y + b2).
    """
    from keras import ops

    x, y = (width - 1) / 2, (height - 1) / 2
    cos, sin = ops.cos(angle) * scale, ops.sin(angle) * scale
    zero = ops.zeros_like(angle)
    return ops.stack(
        [
            cos,
            -sin,
            x - cos * (x + right) + sin * (y + down),
            sin,
            cos,
            y - sin * (x + right) - cos * (y + down),
            zero,
            zero,
        ],
        axis=1,
    )
