"""Blur by glass and by motion."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from experiments.datasets.corruptions.corruption import Corruption, FloatArray
from experiments.pictures.normalization import SIDE

# Severity 1 of (sigma, reach, passes): (0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2).
GLASS_SIGMA, GLASS_REACH, GLASS_PASSES = 0.7, 1, 2
# Rows and columns of the pixels that move, from the lower right to the upper left.
GLASS_ORDER = range(SIDE - GLASS_REACH, GLASS_REACH, -1)
GLASS_DRAWS = GLASS_PASSES * len(GLASS_ORDER) ** 2

# Severity 1 of (radius, sigma): (10, 3), (15, 5), (15, 8), (15, 12), (20, 15).
MOTION_RADIUS, MOTION_SIGMA = 10, 3
MOTION_DEGREES = 45


def glass_blur(images: FloatArray, draws: FloatArray) -> FloatArray:
    """Blur, swap pixels with neighbors at random in two passes, and blur again (severity 1).

    A pixel stays with probability 1/2, else it is swapped with one of four places at random: its own, the one above,
    the one to the left, the one above that. Both blurs are Gaussian with sigma 0.7 and vertical only: the publishers'
    filter took the columns of an image for its channels and did not mix them.
    """
    gray_levels = np.floor(_blur_columns(images) * 255)
    return _blur_columns(_shuffle(gray_levels, draws) / np.float32(255))


def _blur_columns(images: FloatArray) -> FloatArray:
    from scipy.ndimage import gaussian_filter1d

    blurred: FloatArray = gaussian_filter1d(images, GLASS_SIGMA, axis=1, mode="nearest")
    return blurred


def _shuffle(images: FloatArray, draws: FloatArray) -> FloatArray:
    """Swap pixels in all images at once, place by place; each swap acts on the result of those before it."""
    n = len(images)
    pixels = images.reshape(n, -1).T.copy()
    lots = (draws.T * 8).astype(np.intp)
    # Of eight equally likely outcomes four stay and four are the places.
    moves = np.array([0, 0, 0, 0, 0, SIDE, 1, SIDE + 1])
    places = [SIDE * row + column for _ in range(GLASS_PASSES) for row in GLASS_ORDER for column in GLASS_ORDER]
    every = np.arange(n)
    for place, lot in zip(places, lots, strict=True):
        other = place - moves[lot]
        moved = pixels[place].copy()
        pixels[place] = pixels[other, every]
        pixels[other, every] = moved
    return pixels.T.reshape(images.shape)


def motion_blur(images: FloatArray, draws: FloatArray) -> FloatArray:
    """Smear to the left along a line within 45 degrees of the horizontal, with decreasing weight (severity 1).

    Equivalent to ImageMagick's ``-motion-blur 10x3``, which MNIST-C calls: the mean over 21 pixels along the line, each
    rounded to whole pixels, weighted by half a Gaussian with sigma 3. Edge pixels are repeated outside the image.
    """
    margin = 2 * MOTION_RADIUS
    steps = np.arange(margin + 1.0)
    weights = np.exp(-(steps**2) / (2 * MOTION_SIGMA**2))
    weights /= weights.sum()
    angles = np.radians((2 * draws - 1) * MOTION_DEGREES)
    downwards, rightwards = _nearest(steps * np.sin(angles)), _nearest(steps * np.cos(angles))
    padded = np.pad(images, ((0, 0), (margin, margin), (margin, margin)), "edge")
    shifted = sliding_window_view(padded, (SIDE, SIDE), axis=(1, 2))
    every = np.arange(len(images))
    blurred = np.zeros_like(images)
    for step, weight in enumerate(weights.astype(np.float32)):
        blurred += weight * shifted[every, margin + downwards[:, step], margin + rightwards[:, step]]
    return blurred


def _nearest(places: NDArray[np.float64]) -> NDArray[np.intp]:
    """Round to the nearest integer, halves down."""
    return np.ceil(places - 0.5).astype(np.intp)


GLASS_BLUR = Corruption("glass_blur", "seen through rough glass", GLASS_DRAWS, glass_blur)
MOTION_BLUR = Corruption("motion_blur", "smeared to one side", 1, motion_blur)
