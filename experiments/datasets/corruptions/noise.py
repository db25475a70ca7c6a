"""Noise that is independent for each pixel."""

import numpy as np

from experiments.datasets.corruptions.corruption import Corruption, FloatArray
from experiments.pictures.normalization import SIDE

PHOTONS = 3  # of a white pixel; severity 5 of 60, 25, 12, 5, 3
IMPULSE_SHARE = 0.17  # of the pixels; severity 4 of 0.03, 0.06, 0.09, 0.17, 0.27


def shot_noise(images: FloatArray, draws: FloatArray) -> FloatArray:
    """Count photons: a pixel of brightness x becomes a Poisson number of mean 3x, divided by 3, at most 1.

    Severity 5, as in ImageNet-C (Hendrycks, Dietterich 2019) but with fewer photons. Black stays black.
    """
    uniform = draws.reshape(images.shape)
    mean = images * PHOTONS
    # Inverse transform sampling: the count grows while the distribution function does not exceed the draw.
    probability = np.exp(-mean)
    cumulated = probability.copy()
    counts = np.zeros_like(images)
    for count in range(1, PHOTONS + 1):
        counts += uniform >= cumulated
        probability *= mean / count
        cumulated += probability
    return counts / np.float32(PHOTONS)


def impulse_noise(images: FloatArray, draws: FloatArray) -> FloatArray:
    """Make 17 % of the pixels black or white, with equal probability (severity 4)."""
    uniform = draws.reshape(images.shape)
    specks = np.where(uniform < IMPULSE_SHARE / 2, np.float32(0), np.float32(1))
    return np.where(uniform < IMPULSE_SHARE, specks, images)


SHOT_NOISE = Corruption("shot_noise", "grain of too few photons", SIDE * SIDE, shot_noise)
IMPULSE_NOISE = Corruption("impulse_noise", "black and white specks", SIDE * SIDE, impulse_noise)
