"""``<name>-deskewed``: both splits deskewed."""

from experiments.datasets.derivations.derivation import Derivation
from experiments.datasets.deskewing import deskewed

DESKEWED = Derivation(
    suffix="-deskewed", description="all digits sheared until they are upright", trainable=True, make=deskewed
)
