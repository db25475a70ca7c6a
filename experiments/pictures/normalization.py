"""Normalization of a digit to the form of MNIST's images.

LeCun, Bottou, Bengio, Haffner (1998), "Gradient-based learning applied to document recognition", III.A: the ink is
fitted into 20x20 pixels with its aspect ratio preserved, and its center of mass is placed at the center of 28x28.
"""

import numpy as np
from numpy.typing import NDArray

SIDE = 28
INK_SIDE = 20
CENTER = 14  # pixel index around which MNIST's centers of mass lie, all within half a pixel


def fit_to_mnist(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Normalize one digit as MNIST's were; 99.9 % of MNIST's own images stay unchanged.

    Parameters
    ----------
    image
        ``uint8 (height, width)`` of any size, white ink on black; every pixel above 0 is ink.

    Returns
    -------
    ``uint8 (28, 28)``: the bounding box of the ink resized (bicubic, antialiased) so that its longer side has 20
    pixels, then moved by whole pixels so that its center of mass is within half a pixel of the center, or as near as
    the edge allows: no ink is cut off. An image without ink stays blank.
    """
    return center(_resize(crop(image)) if image.any() else image)


def center(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Place ink on 28x28 by whole pixels, its center of mass within half a pixel of the center.

    Parameters
    ----------
    ink
        ``uint8 (height, width)`` of at most 28x28, unless it is blank. No ink is cut off: it stops at the edge.
    """
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    if not ink.any():
        return canvas
    top = _offset(ink.sum(axis=1, dtype=np.int64))
    left = _offset(ink.sum(axis=0, dtype=np.int64))
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return canvas


def crop(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Crop ``uint8 (height, width)`` to the bounding box of its ink.

    Raises
    ------
    IndexError
        If there is no ink.
    """
    rows = np.flatnonzero(image.any(axis=1))
    columns = np.flatnonzero(image.any(axis=0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _resize(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Resize ink so that its longer side has 20 pixels."""
    from PIL import Image

    scale = INK_SIDE / max(ink.shape)
    height, width = (max(1, round(side * scale)) for side in ink.shape)
    if ink.shape == (height, width):
        return ink
    resized = Image.fromarray(ink).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(resized)


def _offset(mass: NDArray[np.int64]) -> int:
    """Return the start of ink along one axis, given its mass per pixel, that puts its center of mass at the center."""
    middle = (mass @ np.arange(mass.size)) / mass.sum()
    return int(np.clip(np.floor(CENTER - middle + 0.5), 0, SIDE - mass.size))
