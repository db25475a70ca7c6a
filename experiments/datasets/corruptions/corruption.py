"""Definition of a corruption."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Corruption:
    """A corruption of images at a fixed severity.

    Attributes
    ----------
    name
        As published.
    description
        Its effect on a digit, one line.
    draws
        Random numbers per image; with none, every seed gives the same result.
    apply
        Function from images ``float32 (n, 28, 28)`` in [0, 1] and draws ``float32 (n, draws)``, uniform in [0, 1), to
        the corrupted images, which may leave [0, 1]. It depends on these two alone, image by image, and changes
        neither.
    """

    name: str
    description: str
    draws: int
    apply: Callable[[FloatArray, FloatArray], FloatArray]
