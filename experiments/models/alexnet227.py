"""AlexNet in its original geometry."""

from typing import TYPE_CHECKING

from experiments.models._alexnet import RECIPE, SPACE, after_first_convolution
from experiments.models.architecture import IMAGE_SHAPE, Architecture
from experiments.models.recipe import Recipe

if TYPE_CHECKING:
    import keras


def build(recipe: Recipe) -> "keras.Model":
    """Build AlexNet as published, on digits resized to 227x227, its two halves joined (ungrouped convolutions)."""
    import keras
    from keras import layers

    inputs = keras.Input(IMAGE_SHAPE, name="image")
    x = layers.Resizing(227, 227, name="resize")(inputs)
    x = layers.Conv2D(96, 11, strides=4, activation="relu", name="conv_1")(x)
    return keras.Model(inputs, after_first_convolution(x, recipe), name="alexnet227")


ALEXNET227 = Architecture(
    name="alexnet227",
    summary="input resized to 227x227, 96@11x11/4, then as alexnet, ungrouped",
    source="Krizhevsky, Sutskever & Hinton 2012",
    build=build,
    parameters=58_299_082,
    recipe=RECIPE,
    space=SPACE,
    # In no profile: an epoch takes hours on two cores, and its accuracy is not better than that of alexnet.
)
