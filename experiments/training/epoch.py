"""What is recorded of each epoch."""

from collections.abc import Sequence
from dataclasses import dataclass

from experiments.errors import DigitsError


class DivergedError(DigitsError):
    """The loss of a training is no longer a finite number."""


@dataclass(frozen=True)
class Epoch:
    """One pass over the training images.

    Attributes
    ----------
    number
        From 1.
    loss, accuracy
        Mean over the training batches while the weights changed, augmentation and dropout on.
    val_loss, val_accuracy
        On the validation images after the epoch, by the averaged weights where the recipe averages.
    learning_rate
        At the end of the epoch.
    seconds
        Wall time of the epoch, validation included, tracking and checkpoint excluded.
    """

    number: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    seconds: float

    def metrics(self) -> dict[str, float]:
        """Return what was measured, by name."""
        names = ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds")
        return {name: getattr(self, name) for name in names}


def best_epoch(epochs: Sequence[Epoch]) -> Epoch:
    """Return the epoch with the lowest validation loss, the earliest among equals.

    Raises
    ------
    ValueError
        When there is no epoch.
    """
    return min(epochs, key=lambda epoch: epoch.val_loss)


def out_of_patience(epochs: Sequence[Epoch], patience: int) -> bool:
    """Tell whether the last `patience` epochs brought no better validation loss; never for a patience of 0."""
    return bool(epochs) and 0 < patience <= epochs[-1].number - best_epoch(epochs).number
