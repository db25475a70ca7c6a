"""The networks, by name. Importing this does not import Keras."""

from experiments.errors import unknown
from experiments.models.alexnet import ALEXNET, ALEXNET227
from experiments.models.architecture import IMAGE_SHAPE, Architecture
from experiments.models.cnn import CNN, CNN_DEEP, CNN_NORM, CNN_WIDE
from experiments.models.fast import FAST
from experiments.models.lenet import LENET
from experiments.models.mlp import MLP, MLP_SMALL
from experiments.models.recipe import Precision, Recipe
from experiments.models.resnet import RESNET
from experiments.models.simple import SIMPLE3, SIMPLE5, SIMPLE7
from experiments.models.vgg import VGG

MODELS = {
    architecture.name: architecture
    for architecture in (
        MLP_SMALL, MLP, CNN, CNN_NORM, CNN_WIDE, CNN_DEEP, LENET, ALEXNET, ALEXNET227, VGG, RESNET, FAST,
        SIMPLE3, SIMPLE5, SIMPLE7,
    )
}  # fmt: skip


def architecture(name: str) -> Architecture:
    """Return the network called `name`.

    Raises
    ------
    UsageError
        When there is none, suggesting the nearest name.
    """
    if name in MODELS:
        return MODELS[name]
    raise unknown("model", name, MODELS)


__all__ = ["IMAGE_SHAPE", "MODELS", "Architecture", "Precision", "Recipe", "architecture"]
