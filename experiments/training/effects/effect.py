"""Description of an effect: a random change of training images towards what pictures look like."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PictureEffect:
    """A random change of images of digits, by Keras's operations: the same on every backend.

    Attributes
    ----------
    name
        Name in the recipe.
    summary
        What it imitates, in one line.
    numbers
        How many random numbers it takes for each image.
    apply
        Maps images, float32 (b, 28, 28, 1) in [0, 1], light ink on dark paper, and random numbers, float32
        (b, `numbers`), uniform in [-1, 1), to images of the same shape and range. At 0 an image stays as it is.
    """

    name: str
    summary: str
    numbers: int
    apply: Callable[[Any, Any], Any]
