"""Description of a network: everything that commands, suites and documentation derive from the registry."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from experiments.models.recipe import Recipe
from experiments.models.space import Space

if TYPE_CHECKING:
    import keras

IMAGE_SHAPE = (28, 28, 1)
CostClass = Literal["light", "heavy"]


@dataclass(frozen=True)
class Architecture:
    """A network: layers, training recipe, search space, expected results, and the suites that train it.

    Attributes
    ----------
    name
        Name on the command line and in the model registry.
    summary
        The layers in one line.
    source
        Publication.
    build
        Builds the Keras model from a recipe (of which it reads `dropout` and `network`). The model maps
        float32 (n, 28, 28, 1) in [0, 1] to float32 probabilities (n, 10); its layers ``penultimate``
        and ``logits`` are the last features before the classifier and the classifier's scores.
    parameters
        Number of weights, trainable or not, at the default recipe.
    recipe
        Default training recipe.
    space
        Search ranges of hyperparameters.
    also
        Names of datasets whose training digits are added to those of ``--dataset``.
    profiles
        Profiles of ``digits run`` that train it. ``digits train all`` trains what profile ``full`` trains on MNIST.
    cost
        In profile ``full``, ``light`` networks are also trained on USPS and adapted to a new domain by every method.
    expected_accuracy
        Lower bound on the MNIST test accuracy with the default recipe; None if it was never measured.
    expected_seconds
        Training time in seconds on the two cores that the README names, by dataset; for ``uci`` in profile ``quick``.
    """

    name: str
    summary: str
    source: str
    build: Callable[[Recipe], "keras.Model"]
    parameters: int
    recipe: Recipe = field(default_factory=Recipe)
    space: Space = field(default_factory=dict)
    also: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    cost: CostClass = "heavy"
    expected_accuracy: float | None = None
    expected_seconds: Mapping[str, float] = field(default_factory=dict)
