"""Multilayer perceptrons on the 784 pixels."""

from typing import TYPE_CHECKING

from experiments.models.architecture import IMAGE_SHAPE, Architecture
from experiments.models.recipe import Recipe

if TYPE_CHECKING:
    import keras


def build(recipe: Recipe) -> "keras.Model":
    """Stack the dense ReLU layers whose widths are ``units_1`` .. ``units_3``; a width of 0 leaves one out."""
    import keras
    from keras import layers

    from experiments.models.layers import classifier

    widths = [int(units) for units in recipe.network.values() if units]
    inputs = keras.Input(IMAGE_SHAPE, name="image")
    x = layers.Flatten(name="pixels")(inputs)
    for i, units in enumerate(widths, start=1):
        last = i == len(widths)
        x = layers.Dense(units, activation="relu", name="penultimate" if last else f"hidden_{i}")(x)
        if recipe.dropout:
            x = layers.Dropout(recipe.dropout, name=f"dropout_{i}")(x)
    return keras.Model(inputs, classifier(x), name="mlp")


MLP_SMALL = Architecture(
    name="mlp_small",
    summary="784-128-10, ReLU",
    source="TensorFlow's beginner quickstart",
    build=build,
    parameters=101_770,
    recipe=Recipe(network={"units_1": 128}),
    expected_accuracy=0.978,
)

MLP = Architecture(
    name="mlp",
    summary="784-224-288-10, ReLU, dropout after each hidden layer (tuned widths)",
    source="widths and dropout found by a Keras Tuner search",
    build=build,
    parameters=243_530,
    recipe=Recipe(dropout=0.3, network={"units_1": 224, "units_2": 288, "units_3": 0}),
    expected_accuracy=0.983,
)
