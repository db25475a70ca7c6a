"""What a corruption is."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Corruption:
    """A way in which pictures go bad, of one severity.

    Attributes
    ----------
    description
        What it does to a digit, in a line.
    severity
        The published severity, in a line.
    draws
        How many random numbers each image takes; with none, every seed gives the same.
    apply
        From images ``float32 (n, 28, 28)`` in [0, 1] and draws ``float32 (n, draws)``, uniform in [0, 1), to the
        corrupted images, which may leave [0, 1]. It is a function of the two alone, image by image, and changes
        neither.
    """

    description: str
    severity: str
    draws: int
    apply: Callable[[Floats, Floats], Floats]
