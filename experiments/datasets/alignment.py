"""Alignments: ways to bring images of other sizes and origins to 28x28, ordered by their similarity to MNIST's own.

Part of the accuracy that a network trained on MNIST loses on other digits is due to the position of their ink. Each
alignment removes one more difference, up to MNIST's own procedure and, after it, the slant.

>>> from experiments.datasets import load
>>> [load("uci", alignment=name).transform for name in ALIGNMENTS]
['resize', 'frame', 'centre', 'mnist-procedure', 'mnist-procedure+deskew']
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.dataset import UNCHANGED, RawSplit, Split
from experiments.datasets.deskewing import deskew
from experiments.errors import unknown
from experiments.pictures.normalization import INK_SIDE, SIDE, center, crop, fit_to_mnist

MARGIN = (SIDE - INK_SIDE) // 2
MNIST_PROCEDURE = "mnist-procedure"


@dataclass(frozen=True)
class Alignment:
    """A way to bring an image of a digit to 28x28.

    Attributes
    ----------
    description
        One line.
    transform
        Name of `fit` in `Dataset.transform`.
    fit
        Function from ``uint8 (height, width)`` of any size, white ink on black, to ``uint8 (28, 28)``. Images that are
        published at 28x28 are not fitted, see `to_split`.
    deskews
        Whether `deskew` follows, the last step, which applies to images published at 28x28 too.
    """

    description: str
    transform: str
    fit: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
    deskews: bool = False

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Fit and deskew one image of any size; return ``uint8 (28, 28)``."""
        placed = self.fit(image)
        return deskew(placed[np.newaxis])[0] if self.deskews else placed


def resize(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Stretch an image to 28x28 (bicubic, antialiased), ignoring its aspect ratio."""
    return _stretch(image, SIDE)


def frame(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Stretch an image to 20x20 in the middle of 28x28: the frame of MNIST's digits."""
    return np.pad(_stretch(image, INK_SIDE), MARGIN)


def frame_by_mass(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Stretch an image to 20x20 and place its center of mass at the center of 28x28, as `fit_to_mnist` does."""
    small = _stretch(image, INK_SIDE)
    return center(crop(small) if small.any() else small)


def _stretch(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    from PIL import Image

    if image.shape == (side, side):
        return image
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC))


ALIGNMENTS: dict[str, Alignment] = {
    "resize": Alignment("stretched to 28x28", "resize", resize),
    "frame": Alignment("stretched to 20x20, in the middle of 28x28", "frame", frame),
    "centre": Alignment("stretched to 20x20, its center of mass in the middle", "centre", frame_by_mass),
    "box": Alignment("its ink fitted into 20x20, its center of mass in the middle", MNIST_PROCEDURE, fit_to_mnist),
    "deskew": Alignment("as box, then sheared upright", MNIST_PROCEDURE, fit_to_mnist, deskews=True),
}
"""Each alignment by its name, the least similar to MNIST's procedure first."""

DEFAULT = ALIGNMENTS["box"]
"""MNIST's own procedure, the alignment of all datasets unless another one is requested."""


def get_alignment(name: str | None) -> Alignment:
    """Return the alignment of that name, `DEFAULT` for None.

    Raises
    ------
    UsageError
        If no alignment has this name.
    """
    if name is None:
        return DEFAULT
    if name not in ALIGNMENTS:
        raise unknown("alignment", name, ALIGNMENTS)
    return ALIGNMENTS[name]


def to_split(raw: RawSplit, alignment: Alignment) -> Split:
    """Fit published digits to 28x28 with `fit_all`."""
    return Split(fit_all(raw.images, alignment), raw.labels)


def fit_all(images: NDArray[np.uint8], alignment: Alignment) -> NDArray[np.uint8]:
    """Fit images, ``uint8 (n, height, width)``, to 28x28; keep those of that size unchanged. Does not deskew."""
    if images.shape[1:] != (SIDE, SIDE):
        images = np.stack([alignment.fit(image) for image in images])
    return np.ascontiguousarray(images)


def transform_of(images: NDArray[np.uint8], alignment: Alignment) -> str:
    """Return the name of the transform that `fit_all` applies to these images."""
    return UNCHANGED if images.shape[1:] == (SIDE, SIDE) else alignment.transform
