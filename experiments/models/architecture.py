"""What the suite knows of a network."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from experiments.models.recipe import Recipe
from experiments.models.space import Space

if TYPE_CHECKING:
    import keras

IMAGE_SHAPE = (28, 28, 1)


@dataclass(frozen=True)
class Architecture:
    """One network: how to build it, how to train it, what to expect of it.

    Attributes
    ----------
    name
        Its name on the command line and in the registry.
    summary
        One line: the layers.
    source
        Where it was published.
    build
        Makes the Keras model from a recipe (of which it reads `dropout` and `network`). The model maps
        float32 (n, 28, 28, 1) in [0, 1] to float32 probabilities (n, 10); its layers ``penultimate``
        and ``logits`` are the last features before the classifier and the classifier's scores.
    parameters
        Number of weights, trainable and not, at the default recipe.
    recipe
        The default training recipe.
    space
        What a search varies, and within which ranges.
    expected_accuracy
        MNIST test accuracy that the default recipe reaches at least, or None where nobody has run it here.
    """

    name: str
    summary: str
    source: str
    build: Callable[[Recipe], "keras.Model"]
    parameters: int
    recipe: Recipe = field(default_factory=Recipe)
    space: Space = field(default_factory=dict)
    expected_accuracy: float | None = None
