"""What all measurements of one run share."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.machine import Machine
from experiments import datasets
from experiments.datasets import Split


@dataclass(frozen=True)
class Plan:
    """The data, how often to measure, and on what.

    Attributes
    ----------
    dataset
        Name of the data set.
    train, validation, test
        Both sides train on the same images.
    rounds
        How often the sides take turns; also the number of seeds.
    epochs
        In each turn, the first of which is not counted.
    target
        Test accuracy to reach.
    limit
        Size of the sample that `train` is, or None for all of it.
    machine
        What it all runs on.
    say
        Hears of each single measurement.
    """

    dataset: str
    train: Split
    validation: Split
    test: Split
    rounds: int
    epochs: int
    target: float
    limit: int | None
    machine: Machine
    say: Callable[[str], None]

    @property
    def images(self) -> str:
        """The training images, in words."""
        return f"{len(self.train):,} {self.dataset} images"


def load_splits(dataset: str, limit: int | None) -> tuple[Split, Split, Split]:
    """Return training, validation and test images; of the training images a sample of `limit`."""
    from experiments.models import MODELS

    data = datasets.load(dataset)
    train, validation = datasets.split_validation(data.train, MODELS["cnn"].recipe.validation)
    return datasets.sample(train, limit) if limit else train, validation, data.test
