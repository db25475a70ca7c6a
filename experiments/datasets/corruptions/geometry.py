"""Digits out of their place or shape. Where they leave black comes in; between pixels, brightness is bilinear."""

from math import cos, sin

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from experiments.datasets.corruptions.corruption import Floats
from experiments.datasets.dataset import SIDE

SHEAR = 0.4  # radians; severity 2 of 0.2, 0.4, 0.6, 0.8, 1
TURN = 0.4  # radians; severity 2 of 0.2, 0.4, 0.6, 0.8, 1
SIZE = 0.7  # of what it was; severity 3 of 0.9, 0.8, 0.7, 0.6, 0.5
SHIFT = 3  # pixels; severity 3 of 1, 2, 3, 4, 5

CENTRE = (SIDE - 1) / 2


def shear(images: Floats, draws: Floats) -> Floats:
    """Slant by 0.4 radians, to the left or to the right at random (severity 2).

    Columns slant and keep their length: each row moves by sin(0.4) of its distance from the centre, and rows lie
    1/cos(0.4) as far from it as before. So scikit-image's affine transform defined shear when MNIST-C was made; its
    present one moves the rows alone, by tan(0.4).
    """
    return _either(
        _warp(images, [[cos(SHEAR), 0], [-sin(SHEAR), 1]]), _warp(images, [[cos(SHEAR), 0], [sin(SHEAR), 1]]), draws
    )


def rotate(images: Floats, draws: Floats) -> Floats:
    """Turn around the centre by 0.4 radians (23 degrees), to the left or to the right at random (severity 2)."""
    left = _warp(images, [[cos(TURN), sin(TURN)], [-sin(TURN), cos(TURN)]])
    right = _warp(images, [[cos(TURN), -sin(TURN)], [sin(TURN), cos(TURN)]])
    return _either(left, right, draws)


def scale(images: Floats, draws: Floats) -> Floats:  # noqa: ARG001 - every digit shrinks alike
    """Shrink to 70 % towards the centre, without smoothing (severity 3)."""
    return _warp(images, [[1 / SIZE, 0], [0, 1 / SIZE]])


def translate(images: Floats, draws: Floats) -> Floats:
    """Move by 3 pixels up or down and by 3 to the left or right, at random (severity 3)."""
    padded = np.pad(images, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT)))
    shifted = sliding_window_view(padded, (SIDE, SIDE), axis=(1, 2))
    rows, columns = np.where(draws < 0.5, 0, 2 * SHIFT).T
    moved: Floats = shifted[np.arange(len(images)), rows, columns]
    return moved


def _either(one: Floats, other: Floats, draws: Floats) -> Floats:
    """Take each image from the one or the other stack, at random."""
    return np.where(draws[:, :, np.newaxis] < 0.5, one, other)


def _warp(images: Floats, matrix: ArrayLike) -> Floats:
    """Take each pixel from where `matrix` sends its (row, column), both counted from the centre."""
    from scipy.ndimage import affine_transform

    within = np.eye(3)  # the first axis counts the images: each stays what it is
    within[1:, 1:] = matrix
    centre = np.array([0, CENTRE, CENTRE])
    warped: Floats = affine_transform(images, within, centre - within @ centre, order=1, mode="grid-constant")
    return warped
