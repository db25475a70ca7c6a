"""Datasets derived from the published ones, under their name and a suffix.

>>> DERIVED["uci-c"].source.name
'uci'
"""

from experiments.datasets.derivations.corrupted import CORRUPTED
from experiments.datasets.derivations.derivation import Derivation, DerivedDataset
from experiments.datasets.derivations.deskewed import DESKEWED
from experiments.datasets.published import PUBLISHED

DERIVATIONS: dict[str, Derivation] = {derivation.suffix: derivation for derivation in (CORRUPTED, DESKEWED)}
"""Each derivation by its suffix."""

DERIVED: dict[str, DerivedDataset] = {
    published.name + suffix: DerivedDataset(published, derivation)
    for suffix, derivation in DERIVATIONS.items()
    for published in PUBLISHED.values()
}
"""Each derived dataset by its name."""

DATASET_NAMES: tuple[str, ...] = (*PUBLISHED, *DERIVED)
