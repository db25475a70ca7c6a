"""AlexNet, fitted to 28x28."""

from typing import TYPE_CHECKING

from experiments.models._alexnet import RECIPE, SPACE, after_first_convolution
from experiments.models.architecture import IMAGE_SHAPE, Architecture
from experiments.models.recipe import Recipe

if TYPE_CHECKING:
    import keras


def build(recipe: Recipe) -> "keras.Model":
    """Build AlexNet with a first convolution of 3x3 and stride 1, so that 28x28 survives its three poolings."""
    import keras
    from keras import layers

    inputs = keras.Input(IMAGE_SHAPE, name="image")
    x = layers.Conv2D(96, 3, padding="same", activation="relu", name="conv_1")(inputs)
    return keras.Model(inputs, after_first_convolution(x, recipe), name="alexnet")


ALEXNET = Architecture(
    name="alexnet",
    summary="96@3x3, 256@5x5, 384@3x3, 384@3x3, 256@3x3, LRN, 3x3/2 pools, 4096, 4096, dropout 0.5",
    source="Krizhevsky, Sutskever & Hinton 2012, fitted to 28x28",
    build=build,
    parameters=24_733_898,
    recipe=RECIPE,
    space=SPACE,
    profiles=("full",),
    expected_accuracy=0.993,
    expected_seconds={"mnist": 1110},
)
