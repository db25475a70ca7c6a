"""What can be measured on a digit itself, without any network."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

INK = 0.5  # of full white, from which a pixel counts as ink
TRAITS = MappingProxyType(
    {
        "thickness": "mean width of the stroke, in pixels",
        "slant": "lean of the strokes, degrees from upright, to the right positive",
        "loops": "number of areas that ink encloses",
        "aspect": "width of the ink's box over its height",
        "ink": "sum of the pixels' brightness, in pixels",
    }
)
BLOCK = 1000
GAP = 2  # pixels between digits laid side by side


def traits(images: NDArray[np.uint8]) -> Mapping[str, NDArray[np.float64]]:
    """Measure `TRAITS` of images, uint8 (n, 28, 28), white on black; each comes back as float64 (n,).

    An image without ink has 0 for all of them, and aspect 1.
    """
    blocks = [_measure(images[start : start + BLOCK]) for start in range(0, len(images), BLOCK)]
    return {name: np.concatenate([block[name] for block in blocks]) for name in TRAITS}


def _measure(images: NDArray[np.uint8]) -> dict[str, NDArray[np.float64]]:
    brightness = images.astype(np.float64) / 255
    ink = brightness >= INK
    width, height = (_extent(np.asarray(ink.any(axis=axis))) for axis in (1, 2))
    return {
        "thickness": _thickness(ink),
        "slant": _slant(brightness),
        "loops": _loops(ink),
        "aspect": np.where(height > 0, width / np.maximum(height, 1), 1.0),
        "ink": brightness.sum(axis=(1, 2)),
    }


def _extent(occupied: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return for each row of (n, side) how far it is from the first place to the last, both counted; 0 for none."""
    first, last = occupied.argmax(axis=1), occupied.shape[1] - occupied[:, ::-1].argmax(axis=1)
    return np.where(occupied.any(axis=1), last - first, 0)


def _thickness(ink: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Four times the mean distance of ink from the ground: exact for a straight stroke, but for its ends.

    Every pixel is taken as four, for otherwise the centres of a stroke of one pixel and of two would be as deep.
    """
    from scipy.ndimage import distance_transform_edt

    ink = ink.repeat(2, axis=1).repeat(2, axis=2)
    n, side = len(ink), ink.shape[1]
    # One wide picture, for a call each would take most of the time.
    wide = np.zeros((side + 2 * GAP, n * (side + GAP)), bool)
    columns = np.arange(side)[None] + (np.arange(n) * (side + GAP))[:, None] + GAP // 2
    wide[GAP : GAP + side, columns.ravel()] = ink.transpose(1, 0, 2).reshape(side, -1)
    # Measured from the pixels' edges, half a pixel before the centre of the ground.
    depth = np.maximum(distance_transform_edt(wide) - 0.5, 0)[GAP : GAP + side, columns.ravel()]
    sums = depth.reshape(side, n, side).sum(axis=(0, 2))
    return 4 * sums / np.maximum(ink.sum(axis=(1, 2)), 1) / 2


def _slant(brightness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angle of the line along which the rows' centres shift, from second moments."""
    rows, columns = np.mgrid[: brightness.shape[1], : brightness.shape[2]].astype(np.float64)
    mass = np.maximum(brightness.sum(axis=(1, 2)), 1e-12)
    row = np.einsum("nij,ij->n", brightness, rows) / mass
    column = np.einsum("nij,ij->n", brightness, columns) / mass
    vertical = np.einsum("nij,ij->n", brightness, rows**2) / mass - row**2
    mixed = np.einsum("nij,ij->n", brightness, rows * columns) / mass - row * column
    return np.degrees(np.arctan(-mixed / np.where(vertical > 1e-9, vertical, np.inf)))


def _loops(ink: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Areas of ground, joined by edges, that do not reach the border of the picture."""
    from scipy.ndimage import label

    n, side = len(ink), ink.shape[1]
    ground = np.ones((n, side + 2, side + 2), bool)
    ground[:, 1:-1, 1:-1] = ~ink
    apart = np.zeros((3, 3, 3), bool)
    apart[1] = [[0, 1, 0], [1, 1, 1], [0, 1, 0]]  # within a picture, never to the next
    areas, _ = label(ground, apart)
    last = areas.reshape(n, -1).max(axis=1)
    return (np.diff(last, prepend=0) - 1).astype(np.float64)
