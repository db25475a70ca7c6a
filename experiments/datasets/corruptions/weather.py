"""Light, fog and mud."""

from collections.abc import Iterator

import numpy as np

from experiments.datasets.corruptions.corruption import Corruption, FloatArray
from experiments.pictures.normalization import SIDE

BRIGHTNESS_GAIN = 0.5  # of white; severity 5 of 0.1, 0.2, 0.3, 0.4, 0.5

# Severity 5 of (thickness, decay): (1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4).
FOG_THICKNESS, FOG_DECAY = 3.0, 1.4
FOG_WOBBLE = 100.0  # initial, in units of the height map
FOG_DOUBLINGS = 8  # the map has 256x256 heights; a corner of it covers the image
FOG_DRAWS = 4**FOG_DOUBLINGS - 1

# Severity 4 of (mean, deviation, sigma, level, sigma of the splash): (0.65, 0.3, 4, 0.69, 0.6),
# (0.65, 0.3, 3, 0.68, 0.6), (0.65, 0.3, 2, 0.68, 0.5), (0.65, 0.3, 1, 0.65, 1.5), (0.67, 0.4, 1, 0.65, 1.5).
LIQUID_MEAN, LIQUID_DEVIATION, LIQUID_SIGMA = 0.65, 0.3, 1.0
LIQUID_LEVEL = 0.65
SPLASH_SIGMA = 1.5
SPLASH_LEVEL = 0.8  # at every severity
MUD = 63 / 255


def brightness(images: FloatArray, draws: FloatArray) -> FloatArray:  # noqa: ARG001 - deterministic
    """Add half of white to all pixels, clipped at white (severity 5)."""
    return np.minimum(images + np.float32(BRIGHTNESS_GAIN), 1)


def fog(images: FloatArray, draws: FloatArray) -> FloatArray:
    """Add three times a random height map in [0, 1], and rescale to the range of the image (severity 5).

    With the brightest pixel b of an image, x becomes (x + 3h) b / (b + 3).
    """
    heights = FOG_THICKNESS * _height_map(draws)[:, :SIDE, :SIDE]
    brightest = images.max(axis=(1, 2), keepdims=True)
    return (images + heights) * (brightest / (brightest + FOG_THICKNESS))


def _height_map(draws: FloatArray) -> FloatArray:
    """Compute ``(n, 256, 256)`` fractal heights from 0 to 1 with the diamond-square algorithm on a torus.

    Starting at one height, the grid is doubled eight times. A new height is the mean of its four neighbors plus a
    wobble, uniform in [-w^2, w^2]; w starts at 100 and is divided by the decay with each doubling. (Fournier, Fussell,
    Carpenter 1982; the square of w is the publishers'.)
    """
    grid = np.zeros((len(draws), 1, 1), np.float32)
    for wobbles in _wobbles(draws):
        grid = _double(grid, *wobbles)
    grid -= grid.min(axis=(1, 2), keepdims=True)
    grid /= grid.max(axis=(1, 2), keepdims=True)
    return grid


def _wobbles(draws: FloatArray) -> Iterator[FloatArray]:
    """Yield the wobbles ``(3, n, side, side)`` of the new heights of each doubling of a grid of this side."""
    start = 0
    for doubling in range(FOG_DOUBLINGS):
        side = 2**doubling
        end = start + 3 * side**2
        height = np.float32((FOG_WOBBLE / FOG_DECAY**doubling) ** 2)
        wobbles = height * (2 * draws[:, start:end] - 1)
        yield wobbles.reshape(-1, 3, side, side).swapaxes(0, 1)
        start = end


def _double(grid: FloatArray, middles: FloatArray, tops: FloatArray, lefts: FloatArray) -> FloatArray:
    """Insert new heights between those of the grid: first at the centers of its squares, then on their sides."""
    n, side, _ = grid.shape
    below, right = np.roll(grid, -1, axis=1), np.roll(grid, -1, axis=2)
    middle = (grid + below + right + np.roll(below, -1, axis=2)) / 4 + middles
    doubled = np.empty((n, 2 * side, 2 * side), np.float32)
    doubled[:, ::2, ::2] = grid
    doubled[:, 1::2, 1::2] = middle
    doubled[:, ::2, 1::2] = (grid + right + middle + np.roll(middle, 1, axis=1)) / 4 + tops
    doubled[:, 1::2, ::2] = (grid + below + middle + np.roll(middle, 1, axis=2)) / 4 + lefts
    return doubled


def spatter(images: FloatArray, draws: FloatArray) -> FloatArray:
    """Splash dark gray mud over the digit where smoothed noise exceeds its mean (severity 4).

    The noise is normal (0.65, 0.3), smoothed with sigma 1. A splash is where it exceeds 0.65; splashes are smoothed
    with sigma 1.5, set to 0 below 0.8, and then are the opacity of the mud.
    """
    from scipy.special import ndtri

    # Draws are multiples of 2^-24, and 0 would become minus infinity: use the middle of each step.
    normal = ndtri(draws.reshape(images.shape).astype(np.float64) + 2.0**-25).astype(np.float32)
    liquid = _smooth(LIQUID_MEAN + LIQUID_DEVIATION * normal, LIQUID_SIGMA)
    splash = _smooth((liquid > LIQUID_LEVEL).astype(np.float32), SPLASH_SIGMA)
    splash[splash < SPLASH_LEVEL] = 0
    return images * (1 - splash) + np.float32(MUD) * splash


def _smooth(images: FloatArray, sigma: float) -> FloatArray:
    from scipy.ndimage import gaussian_filter

    smoothed: FloatArray = gaussian_filter(images, sigma, mode="nearest", axes=(1, 2))
    return smoothed


BRIGHTNESS = Corruption("brightness", "all of it lighter", 0, brightness)
FOG = Corruption("fog", "behind drifting fog", FOG_DRAWS, fog)
SPATTER = Corruption("spatter", "splashed with mud", SIDE * SIDE, spatter)
