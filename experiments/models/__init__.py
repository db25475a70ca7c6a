"""The networks, by name; see `Architecture`. Importing this does not import Keras."""

from experiments.errors import unknown
from experiments.models.alexnet import ALEXNET
from experiments.models.alexnet227 import ALEXNET227
from experiments.models.architecture import IMAGE_SHAPE, Architecture, CostClass
from experiments.models.cnn import CNN
from experiments.models.cnn_deep import CNN_DEEP
from experiments.models.cnn_norm import CNN_NORM
from experiments.models.cnn_wide import CNN_WIDE
from experiments.models.fast import FAST
from experiments.models.lenet import LENET
from experiments.models.mlp import MLP
from experiments.models.mlp_small import MLP_SMALL
from experiments.models.reader import READER
from experiments.models.recipe import Precision, Recipe
from experiments.models.resnet import RESNET
from experiments.models.simple3 import SIMPLE3
from experiments.models.simple5 import SIMPLE5
from experiments.models.simple7 import SIMPLE7
from experiments.models.vgg import VGG

MODELS: dict[str, Architecture] = {
    network.name: network
    for network in (
        MLP_SMALL,
        MLP,
        LENET,
        CNN,
        CNN_NORM,
        FAST,
        CNN_DEEP,
        CNN_WIDE,
        RESNET,
        VGG,
        ALEXNET,
        ALEXNET227,
        SIMPLE3,
        SIMPLE5,
        SIMPLE7,
        READER,
    )
}
"""All networks, in the order in which suites train them."""


def architecture(name: str) -> Architecture:
    """Return the network called `name`.

    Raises
    ------
    UsageError
        If there is none, suggesting the nearest name.
    """
    if name in MODELS:
        return MODELS[name]
    raise unknown("model", name, MODELS)


def trained_by(profile: str, cost: CostClass | None = None) -> tuple[str, ...]:
    """Return the names of the networks that a profile of ``digits run`` trains, of one cost or of both."""
    return tuple(name for name, one in MODELS.items() if profile in one.profiles and cost in (None, one.cost))


__all__ = ["IMAGE_SHAPE", "MODELS", "Architecture", "Precision", "Recipe", "architecture", "trained_by"]
