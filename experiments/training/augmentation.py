"""Random affine warps of a batch of images, as TensorFlow operations for an input pipeline."""

from typing import Any

from experiments.models import Recipe


def warp(images: Any, recipe: Recipe, seed: Any) -> Any:
    """Rotate, scale and shift each image by its own random amount, in one bilinear resampling.

    Parameters
    ----------
    images
        Tensor float32 (b, h, w, 1).
    recipe
        Gives the ranges: `rotation` in degrees, `zoom` and `shift` as shares, each times `augmentation`; each amount
        is uniform within plus and minus its range.
    seed
        Tensor int64 (2,); the same seed gives the same warps (Salmon et al. 2011, through
        ``tf.random.stateless_uniform``).

    Returns
    -------
    Tensor float32 (b, h, w, 1); what comes in from outside the picture is 0.
    """
    import tensorflow as tf

    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=_random_transforms(tf.shape(images), recipe, seed),
        output_shape=tf.shape(images)[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )


def _random_transforms(shape: Any, recipe: Recipe, seed: Any) -> Any:
    """Return float32 (b, 8): for each image the map from output to input coordinates."""
    import math

    import tensorflow as tf

    amounts = tf.random.stateless_uniform((4, shape[0]), seed, minval=-1.0, maxval=1.0) * recipe.augmentation
    angle = amounts[0] * math.radians(recipe.rotation)
    scale = 1.0 / (1.0 + amounts[1] * recipe.zoom)
    height, width = tf.cast(shape[1], tf.float32), tf.cast(shape[2], tf.float32)
    return affine_transforms(
        angle, scale, amounts[2] * recipe.shift * height, amounts[3] * recipe.shift * width, height, width
    )


def affine_transforms(angle: Any, scale: Any, down: Any, right: Any, height: Any, width: Any) -> Any:
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
    import tensorflow as tf

    x, y = (width - 1) / 2, (height - 1) / 2
    cos, sin = tf.cos(angle) * scale, tf.sin(angle) * scale
    zero = tf.zeros_like(angle)
    return tf.stack(
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
