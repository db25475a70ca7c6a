"""Geometric transforms of digits, with bilinear interpolation; black fills what they leave."""

from math import cos, sin

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from experiments.datasets.corruptions.corruption import Corruption, FloatArray
from experiments.pictures.normalization import SIDE

SHEAR_ANGLE = 0.4  # radians; severity 2 of 0.2, 0.4, 0.6, 0.8, 1
ROTATION_ANGLE = 0.4  # radians; severity 2 of 0.2, 0.4, 0.6, 0.8, 1
SCALE_FACTOR = 0.7  # severity 3 of 0.9, 0.8, 0.7, 0.6, 0.5
SHIFT = 3  # pixels; severity 3 of 1, 2, 3, 4, 5

CENTER = (SIDE - 1) / 2


def shear(images: FloatArray, draws: FloatArray) -> FloatArray:
    """Slant by 0.4 radians, to the left or to the right at random (severity 2).

    Columns slant and keep their length: each row moves by sin(0.4) of its distance from the center, and distances
    between rows grow by 1/cos(0.4). This is the shear of scikit-image's affine transform when MNIST-C was made; its
    current one only moves the rows, by tan(0.4).
    """
    left = _warp(images, [[cos(SHEAR_ANGLE), 0], [-sin(SHEAR_ANGLE), 1]])
    right = _warp(images, [[cos(SHEAR_ANGLE), 0], [sin(SHEAR_ANGLE), 1]])
    return _either(left, right, draws)


def rotate(images: FloatArray, draws: FloatArray) -> FloatArray:
    """Rotate around the center by 0.4 radians (23 degrees), to the left or to the right at random (severity 2)."""
    left = _warp(images, [[cos(ROTATION_ANGLE), sin(ROTATION_ANGLE)], [-sin(ROTATION_ANGLE), cos(ROTATION_ANGLE)]])
    right = _warp(images, [[cos(ROTATION_ANGLE), -sin(ROTATION_ANGLE)], [sin(ROTATION_ANGLE), cos(ROTATION_ANGLE)]])
    return _either(left, right, draws)


def scale(images: FloatArray, draws: FloatArray) -> FloatArray:  # noqa: ARG001 - deterministic
    """Shrink to 70 % toward the center, without smoothing (severity 3)."""
    return _warp(images, [[1 / SCALE_FACTOR, 0], [0, 1 / SCALE_FACTOR]])


def translate(images: FloatArray, draws: FloatArray) -> FloatArray:
    """Move by 3 pixels up or down and by 3 to the left or right, at random (severity 3)."""
    padded = np.pad(images, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT)))
    shifted = sliding_window_view(padded, (SIDE, SIDE), axis=(1, 2))
    rows, columns = np.where(draws < 0.5, 0, 2 * SHIFT).T
    moved: FloatArray = shifted[np.arange(len(images)), rows, columns]
    return moved


def _either(one: FloatArray, other: FloatArray, draws: FloatArray) -> FloatArray:
    """Choose each image from one of two stacks at random."""
    return np.where(draws[:, :, np.newaxis] < 0.5, one, other)


def _warp(images: FloatArray, matrix: ArrayLike) -> FloatArray:
    """Sample each pixel at `matrix` times its (row, column), both relative to the center."""
    from scipy.ndimage import affine_transform

    within = np.eye(3)  # the first axis is the index of the image
    within[1:, 1:] = matrix
    center = np.array([0, CENTER, CENTER])
    warped: FloatArray = affine_transform(images, within, center - within @ center, order=1, mode="grid-constant")
    return warped


SHEAR = Corruption("shear", "slanted to the left or right", 1, shear)
SCALE = Corruption("scale", "made smaller", 0, scale)
ROTATE = Corruption("rotate", "turned to the left or right", 1, rotate)
TRANSLATE = Corruption("translate", "moved toward a corner", 2, translate)
