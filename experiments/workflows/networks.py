"""A trained network by its reference, checked to be one for digits."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments import tracking
from experiments.datasets import CLASSES
from experiments.errors import UsageError
from experiments.evaluation.arguments import checked_probabilities
from experiments.models import IMAGE_SHAPE
from experiments.tracking import Reference, Store

if TYPE_CHECKING:
    import keras


def load_network(store: Store, reference: Reference) -> "keras.Model":
    """Load the network of a reference.

    Raises
    ------
    UsageError
        When it does not map 28x28 pictures to ten classes.
    DigitsError
        When its file is missing or no Keras model.
    """
    network = tracking.load_reference(store, reference)
    if (network.input_shape[1:], network.output_shape[1:]) != (IMAGE_SHAPE, (CLASSES,)):
        raise UsageError(
            f"{reference.text} maps {network.input_shape[1:]} to {network.output_shape[1:]}; "
            f"a digit network maps {IMAGE_SHAPE} to {(CLASSES,)}"
        )
    return network


def check_probabilities(probabilities: NDArray[np.float32], reference: Reference) -> None:
    """Refuse what a network said if it is no distribution over the digits.

    Raises
    ------
    UsageError
        Naming what was received.
    """
    try:
        checked_probabilities(probabilities, len(probabilities))
    except ValueError as error:
        raise UsageError(
            f"{reference.text} does not give probabilities ({error}); a digit network ends in softmax"
        ) from error
