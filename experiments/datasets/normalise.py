"""MNIST's own procedure, by which digits of other sizes come to look like MNIST's.

LeCun, Bottou, Bengio, Haffner (1998), "Gradient-based learning applied to document recognition", III.A:
the ink is fitted into 20x20 keeping its aspect ratio, and its centre of mass is put at the centre of 28x28.
"""

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.dataset import SIDE, RawSplit, Split

INK_SIDE = 20
CENTRE = 14  # the pixel index around which MNIST's centres of mass lie, all within half a pixel

MNIST_PROCEDURE = "mnist-procedure"
UNCHANGED = "none"


def to_split(raw: RawSplit) -> Split:
    """Bring digits to 28x28 by `fit_to_mnist`; digits that have that size are left as they are."""
    images = raw.images
    if images.shape[1:] != (SIDE, SIDE):
        images = np.stack([fit_to_mnist(image) for image in images])
    return Split(np.ascontiguousarray(images), raw.labels)


def transform_of(raw: RawSplit) -> str:
    """Return the name of what `to_split` does to these digits."""
    return UNCHANGED if raw.images.shape[1:] == (SIDE, SIDE) else MNIST_PROCEDURE


def fit_to_mnist(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Normalise one digit as MNIST's were; 99.9 % of MNIST's own images come out unchanged.

    Parameters
    ----------
    image
        ``uint8 (height, width)`` of any size, white ink on black; every pixel above 0 is ink.

    Returns
    -------
    ``uint8 (28, 28)``: the ink's bounding box resized (bicubic, antialiased) so that its longer side has 20
    pixels, then moved by whole pixels so that the centre of mass is within half a pixel of the centre, or
    as near as the edge allows: ink is never cut off. An image without ink stays blank.
    """
    blank = np.zeros((SIDE, SIDE), np.uint8)
    if not image.any():
        return blank
    ink = _resize(_crop(image))
    if not ink.any():
        return blank
    top = _offset(ink.sum(axis=1, dtype=np.int64))
    left = _offset(ink.sum(axis=0, dtype=np.int64))
    blank[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return blank


def _crop(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the bounding box of the ink."""
    rows = np.flatnonzero(image.any(axis=1))
    columns = np.flatnonzero(image.any(axis=0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _resize(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scale so that the longer side has 20 pixels."""
    from PIL import Image

    scale = INK_SIDE / max(ink.shape)
    height, width = (max(1, round(side * scale)) for side in ink.shape)
    if ink.shape == (height, width):
        return ink
    resized = Image.fromarray(ink).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(resized)


def _offset(mass: NDArray[np.int64]) -> int:
    """Return where, along one axis, ink of this mass per pixel begins so that its centre is at the centre."""
    centre = (mass @ np.arange(mass.size)) / mass.sum()
    return int(np.clip(np.floor(CENTRE - centre + 0.5), 0, SIDE - mass.size))
