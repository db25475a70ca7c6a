"""Multilayer perceptrons on the 784 pixels: the family's layers, recipe and search space."""

from typing import TYPE_CHECKING

from experiments.errors import UsageError
from experiments.models.architecture import IMAGE_SHAPE
from experiments.models.recipe import Recipe
from experiments.models.space import DROPOUT, LEARNING_RATE, Integers, Space

if TYPE_CHECKING:
    import keras


def build(recipe: Recipe) -> "keras.Model":
    """Stack dense ReLU layers, whose widths are ``units_1`` .. ``units_3``; a width of 0 leaves one out.

    Raises
    ------
    UsageError
        If all widths are 0.
    """
    import keras
    from keras import layers

    from experiments.models.layers import classifier

    widths = [int(units) for units in recipe.network.values() if units]
    if not widths:
        raise UsageError(f"there is no hidden layer left; make one of {', '.join(recipe.network)} positive")
    inputs = keras.Input(IMAGE_SHAPE, name="image")
    x = layers.Flatten(name="pixels")(inputs)
    for i, units in enumerate(widths, start=1):
        last = i == len(widths)
        x = layers.Dense(units, activation="relu", name="penultimate" if last else f"hidden_{i}")(x)
        if recipe.dropout:
            x = layers.Dropout(recipe.dropout, name=f"dropout_{i}")(x)
    return keras.Model(inputs, classifier(x), name="mlp")


# On validation, a rate that falls to 0 and slight warps beat the sources' constant rate with early stopping: without
# convolutions the network has no built-in invariance to shifts.
RECIPE = Recipe(learning_rate=2e-3, schedule="one-cycle", patience=0, rotation=7, zoom=0.05, shift=0.04)

WIDTHS = Integers(32, 512, 32)
SPACE: Space = {"units_1": WIDTHS, "dropout": DROPOUT, "learning_rate": LEARNING_RATE}
