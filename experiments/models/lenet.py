"""LeNet-5."""

from typing import TYPE_CHECKING

from experiments.models.architecture import IMAGE_SHAPE, Architecture
from experiments.models.recipe import Recipe
from experiments.models.space import AUGMENTATION, BATCH_SIZE, DROPOUT, LEARNING_RATE

if TYPE_CHECKING:
    import keras


def build(recipe: Recipe) -> "keras.Model":
    """Build LeNet-5 with tanh and average pooling.

    The differences to LeCun et al. 1998 are those of most re-implementations: every map of the second convolution
    is connected to all six of the first, pooling has no weights, and the output is a softmax instead of radial basis
    functions.
    """
    import keras
    from keras import layers

    from experiments.models.layers import classifier

    inputs = keras.Input(IMAGE_SHAPE, name="image")
    x = layers.Conv2D(6, 5, padding="same", activation="tanh", name="c1")(inputs)
    x = layers.AveragePooling2D(2, name="s2")(x)
    x = layers.Conv2D(16, 5, activation="tanh", name="c3")(x)
    x = layers.AveragePooling2D(2, name="s4")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(120, activation="tanh", name="c5")(x)
    x = layers.Dense(84, activation="tanh", name="penultimate")(x)
    if recipe.dropout:
        x = layers.Dropout(recipe.dropout, name="dropout")(x)
    return keras.Model(inputs, classifier(x), name="lenet")


LENET = Architecture(
    name="lenet",
    summary="6@5x5 same tanh, avg-pool, 16@5x5, avg-pool, 120, 84, 10",
    source="LeCun, Bottou, Bengio & Haffner 1998",
    build=build,
    parameters=61_706,
    recipe=Recipe(rotation=10, zoom=0.1, shift=0.1),
    space={
        "learning_rate": LEARNING_RATE,
        "batch_size": BATCH_SIZE,
        "dropout": DROPOUT,
        "augmentation": AUGMENTATION,
    },
    profiles=("quick", "full"),
    cost="light",
    expected_accuracy=0.989,
    expected_seconds={"mnist": 100, "usps": 19, "uci": 8},
)
