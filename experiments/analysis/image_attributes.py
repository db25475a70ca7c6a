"""Attributes of images that are measured without a network: stroke thickness, slant, closed loops, aspect, ink."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

INK = 0.5  # of full white: a pixel at least this bright is ink
ATTRIBUTES = MappingProxyType(
    {
        "thickness": "mean width of the strokes, in pixels",
        "slant": "angle of the strokes from vertical, in degrees, positive to the right",
        "loops": "number of areas enclosed by ink",
        "aspect": "width over height of the bounding box of the ink",
        "ink": "sum of the pixel values, in white pixels",
    }
)
BLOCK = 1000
GAP = 2  # pixels between images placed side by side


def image_attributes(images: NDArray[np.uint8]) -> Mapping[str, NDArray[np.float64]]:
    """Measure the `ATTRIBUTES` of images.

    Parameters
    ----------
    images
        uint8 (n, 28, 28), white on black.

    Returns
    -------
    dict
        float64 (n,) for each attribute. For an image without ink all are 0 except `aspect`, which is 1.
    """
    blocks = [_measure(images[start : start + BLOCK]) for start in range(0, len(images), BLOCK)]
    return {name: np.concatenate([block[name] for block in blocks]) for name in ATTRIBUTES}


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
    """Compute the distance between the first and the last occupied place of each row of (n, side), inclusive."""
    first, last = occupied.argmax(axis=1), occupied.shape[1] - occupied[:, ::-1].argmax(axis=1)
    return np.where(occupied.any(axis=1), last - first, 0)


def _thickness(ink: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Compute four times the mean distance of ink from the background: exact for a straight stroke except at its ends.

    Pixels are doubled in both directions. Otherwise the centers of a 1-pixel and a 2-pixel stroke were equally deep.
    """
    from scipy.ndimage import distance_transform_edt

    ink = ink.repeat(2, axis=1).repeat(2, axis=2)
    n, side = len(ink), ink.shape[1]
    # One transform of one wide image: one call per image would take most of the time.
    wide = np.zeros((side + 2 * GAP, n * (side + GAP)), bool)
    columns = np.arange(side)[None] + (np.arange(n) * (side + GAP))[:, None] + GAP // 2
    wide[GAP : GAP + side, columns.ravel()] = ink.transpose(1, 0, 2).reshape(side, -1)
    # Distances are to the centers of background pixels, half a pixel beyond their edges.
    depth = np.maximum(distance_transform_edt(wide) - 0.5, 0)[GAP : GAP + side, columns.ravel()]
    sums = depth.reshape(side, n, side).sum(axis=(0, 2))
    return 4 * sums / np.maximum(ink.sum(axis=(1, 2)), 1) / 2


def _slant(brightness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the angle of the line along which the centers of the rows shift, from second moments."""
    rows, columns = np.mgrid[: brightness.shape[1], : brightness.shape[2]].astype(np.float64)
    mass = np.maximum(brightness.sum(axis=(1, 2)), 1e-12)
    row = np.einsum("nij,ij->n", brightness, rows) / mass
    column = np.einsum("nij,ij->n", brightness, columns) / mass
    vertical = np.einsum("nij,ij->n", brightness, rows**2) / mass - row**2
    mixed = np.einsum("nij,ij->n", brightness, rows * columns) / mass - row * column
    return np.degrees(np.arctan(-mixed / np.where(vertical > 1e-9, vertical, np.inf)))


def _loops(ink: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Count the areas of background, connected by edges, that do not reach the border of the image."""
    from scipy.ndimage import label

    n, side = len(ink), ink.shape[1]
    background = np.ones((n, side + 2, side + 2), bool)
    background[:, 1:-1, 1:-1] = ~ink
    structure = np.zeros((3, 3, 3), bool)
    structure[1] = [[0, 1, 0], [1, 1, 1], [0, 1, 0]]  # within an image, never to the next
    areas, _ = label(background, structure)
    last = areas.reshape(n, -1).max(axis=1)
    return (np.diff(last, prepend=0) - 1).astype(np.float64)
