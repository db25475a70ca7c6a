"""The data sets that are made from the digits of a published one, under its name and a suffix."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from experiments.datasets.corruptions import with_corrupted_test
from experiments.datasets.dataset import Dataset
from experiments.datasets.deskewing import deskewed
from experiments.datasets.sources import SOURCES, Source


@dataclass(frozen=True)
class Derivation:
    """How data sets are made from others.

    Attributes
    ----------
    suffix
        What is added to the name.
    description
        What becomes of the digits, in a line.
    trainable
        Whether networks are trained on the result; else it is for measuring them.
    make
        From the digits of the published data set, in 28x28, to the derived ones.
    """

    suffix: str
    description: str
    trainable: bool
    make: Callable[[Dataset], Dataset]


@dataclass(frozen=True)
class Derived:
    """A derived data set, and whose digits it has."""

    source: Source
    derivation: Derivation

    @property
    def name(self) -> str:
        """The name it is asked for by."""
        return self.source.name + self.derivation.suffix

    def make(self, data: Dataset) -> Dataset:
        """Make it from the digits of its source."""
        return replace(self.derivation.make(data), name=self.name)


DERIVATIONS = (
    Derivation("-c", "the test digits under each of the 15 corruptions of MNIST-C", False, with_corrupted_test),
    Derivation("-deskewed", "all digits sheared until they are upright", True, deskewed),
)

DERIVED: dict[str, Derived] = {
    derived.name: derived for how in DERIVATIONS for source in SOURCES.values() for derived in [Derived(source, how)]
}
"""Each derived data set by its name."""

DATASET_NAMES: tuple[str, ...] = (*SOURCES, *DERIVED)
