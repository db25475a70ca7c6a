"""The ladder of alignments: ways to bring digits of another size and origin to 28x28, each nearer to MNIST's.

What a network that was trained on MNIST loses on other digits is partly a matter of where their ink lies; each rung
takes away one difference more, up to MNIST's own procedure and, beyond it, the slant.

>>> from experiments.datasets import load
>>> [load("uci", alignment=name).transform for name in ALIGNMENTS]
['resize', 'frame', 'centre', 'mnist-procedure', 'mnist-procedure+deskew']
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.datasets.dataset import SIDE, UNCHANGED, RawSplit, Split
from experiments.datasets.deskewing import deskew
from experiments.datasets.normalise import INK_SIDE, MNIST_PROCEDURE, centred, crop, fit_to_mnist
from experiments.errors import unknown

MARGIN = (SIDE - INK_SIDE) // 2

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Alignment:
    """A way to bring one picture of a digit to 28x28.

    Attributes
    ----------
    meaning
        What it does, in a line.
    transform
        What `fit` is called in `Dataset.transform`.
    fit
        From a picture ``uint8 (height, width)`` of any size, white ink on black, to ``uint8 (28, 28)``. In a data
        set, digits that are published at 28x28 have their frame already: none of them is fitted, see `to_split`.
    deskews
        Whether `deskew` follows, the one step that is also for digits of 28x28, and the last of all.
    """

    meaning: str
    transform: str
    fit: Callable[[Picture], Picture]
    deskews: bool = False

    def apply(self, picture: Picture) -> Picture:
        """Return one picture, of any size, as ``uint8 (28, 28)``, fitted and deskewed."""
        placed = self.fit(picture)
        return deskew(placed[np.newaxis])[0] if self.deskews else placed


def resized(picture: Picture) -> Picture:
    """Stretch a picture to 28x28 (bicubic, antialiased), its aspect ratio lost."""
    return _stretch(picture, SIDE)


def framed(picture: Picture) -> Picture:
    """Stretch a picture to 20x20 and put it in the middle of 28x28: the frame of MNIST's digits."""
    return np.pad(_stretch(picture, INK_SIDE), MARGIN)


def framed_by_mass(picture: Picture) -> Picture:
    """Stretch a picture to 20x20 and put its centre of mass at the centre of 28x28, as `fit_to_mnist` does."""
    small = _stretch(picture, INK_SIDE)
    return centred(crop(small) if small.any() else small)


def _stretch(picture: Picture, side: int) -> Picture:
    from PIL import Image

    if picture.shape == (side, side):
        return picture
    return np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BICUBIC))


ALIGNMENTS: dict[str, Alignment] = {
    "resize": Alignment("stretched to 28x28 as it is", "resize", resized),
    "frame": Alignment("stretched to 20x20, in the middle of 28x28", "frame", framed),
    "centre": Alignment("stretched to 20x20, its centre of mass in the middle", "centre", framed_by_mass),
    "box": Alignment("its ink fitted into 20x20, its centre of mass in the middle", MNIST_PROCEDURE, fit_to_mnist),
    "deskew": Alignment("as box, then sheared until it is upright", MNIST_PROCEDURE, fit_to_mnist, deskews=True),
}
"""Each alignment by its name, from the bottom of the ladder to its top."""

DEFAULT = ALIGNMENTS["box"]
"""What every data set is brought to 28x28 by, unless it is asked for otherwise: MNIST's own procedure."""


def alignment_called(name: str | None) -> Alignment:
    """Return the alignment of that name, and `DEFAULT` for None.

    Raises
    ------
    UsageError
        When no alignment has this name.
    """
    if name is None:
        return DEFAULT
    if name not in ALIGNMENTS:
        raise unknown("alignment", name, ALIGNMENTS)
    return ALIGNMENTS[name]


def to_split(raw: RawSplit, alignment: Alignment) -> Split:
    """Fit digits to 28x28; those that have that size are left as they are. None is deskewed yet."""
    return Split(fitted(raw.images, alignment), raw.labels)


def fitted(images: Picture, alignment: Alignment) -> Picture:
    """Do what `to_split` does to images ``uint8 (n, height, width)``; return them as ``uint8 (n, 28, 28)``."""
    if images.shape[1:] != (SIDE, SIDE):
        images = np.stack([alignment.fit(image) for image in images])
    return np.ascontiguousarray(images)


def transform_of(images: Picture, alignment: Alignment) -> str:
    """Return the name of what `fitted` does to these images."""
    return UNCHANGED if images.shape[1:] == (SIDE, SIDE) else alignment.transform
