"""Definition of a derivation: the way to make datasets from published ones."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from experiments.datasets.dataset import Dataset
from experiments.datasets.published.published_dataset import PublishedDataset


@dataclass(frozen=True)
class Derivation:
    """A way to make datasets from published ones.

    Attributes
    ----------
    suffix
        Appended to the name of the published dataset.
    description
        One line.
    trainable
        Whether networks may be trained on the result; otherwise it is for evaluation only.
    make
        Function from the published dataset, in 28x28, to the derived one.
    uses
        Members of registries that `make` uses: their code is part of the code version of a result.
    """

    suffix: str
    description: str
    trainable: bool
    make: Callable[[Dataset], Dataset]
    uses: tuple[Callable[..., Any], ...] = ()


@dataclass(frozen=True)
class DerivedDataset:
    """A derived dataset and the published one that it is made from."""

    source: PublishedDataset
    derivation: Derivation

    @property
    def name(self) -> str:
        """Name on the command line and in the registry."""
        return self.source.name + self.derivation.suffix

    @property
    def functions(self) -> tuple[Callable[..., Any], ...]:
        """Functions that compute the dataset from its source, for the code version of a result."""
        return (self.derivation.make, *self.derivation.uses)

    def make(self, data: Dataset) -> Dataset:
        """Derive the dataset from its loaded source."""
        return replace(self.derivation.make(data), name=self.name)
