"""AlexNet, fitted to 28x28 and in its original geometry."""

from typing import TYPE_CHECKING, Any

from experiments.models.architecture import IMAGE_SHAPE, Architecture
from experiments.models.recipe import Recipe
from experiments.models.space import AUGMENTATION, BATCH_SIZE, DROPOUT, LEARNING_RATE, Space

if TYPE_CHECKING:
    import keras


def build(recipe: Recipe) -> "keras.Model":
    """Build AlexNet with a first convolution of 3x3 and stride 1, so that 28x28 survives its three poolings."""
    import keras
    from keras import layers

    inputs = keras.Input(IMAGE_SHAPE, name="image")
    x = layers.Conv2D(96, 3, padding="same", activation="relu", name="conv_1")(inputs)
    return keras.Model(inputs, _after_first_convolution(x, recipe), name="alexnet")


def build_227(recipe: Recipe) -> "keras.Model":
    """Build AlexNet as published, on digits resized to 227x227, its two halves joined (ungrouped convolutions)."""
    import keras
    from keras import layers

    inputs = keras.Input(IMAGE_SHAPE, name="image")
    x = layers.Resizing(227, 227, name="resize")(inputs)
    x = layers.Conv2D(96, 11, strides=4, activation="relu", name="conv_1")(x)
    return keras.Model(inputs, _after_first_convolution(x, recipe), name="alexnet227")


def _after_first_convolution(x: Any, recipe: Recipe) -> Any:
    """Add what the two geometries share; normalise, then pool, in the order of the paper."""
    from keras import layers

    from experiments.models.layers import LocalResponseNormalization, classifier

    def convolve(x: Any, filters: int, kernel: int, number: int) -> Any:
        return layers.Conv2D(filters, kernel, padding="same", activation="relu", name=f"conv_{number}")(x)

    x = LocalResponseNormalization(name="normalize_1")(x)
    x = layers.MaxPooling2D(3, 2, name="pool_1")(x)
    x = convolve(x, 256, 5, 2)
    x = LocalResponseNormalization(name="normalize_2")(x)
    x = layers.MaxPooling2D(3, 2, name="pool_2")(x)
    x = convolve(x, 384, 3, 3)
    x = convolve(x, 384, 3, 4)
    x = convolve(x, 256, 3, 5)
    x = layers.MaxPooling2D(3, 2, name="pool_5")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(4096, activation="relu", name="dense_6")(x)
    x = layers.Dropout(recipe.dropout, name="dropout_6")(x)
    x = layers.Dense(4096, activation="relu", name="penultimate")(x)
    x = layers.Dropout(recipe.dropout, name="dropout_7")(x)
    return classifier(x)


# An epoch takes minutes on two cores: few of them, planned as one cycle of the rate.
RECIPE = Recipe(epochs=3, schedule="one-cycle", patience=0, dropout=0.5, rotation=10, zoom=0.1, shift=0.1)

SPACE: Space = {
    "learning_rate": LEARNING_RATE,
    "batch_size": BATCH_SIZE,
    "dropout": DROPOUT,
    "augmentation": AUGMENTATION,
}

ALEXNET = Architecture(
    name="alexnet",
    summary="96@3x3, 256@5x5, 384@3x3, 384@3x3, 256@3x3, LRN, 3x3/2 pools, 4096, 4096, dropout 0.5",
    source="Krizhevsky, Sutskever & Hinton 2012, fitted to 28x28",
    build=build,
    parameters=24_733_898,
    recipe=RECIPE,
    space=SPACE,
    expected_accuracy=0.993,
)

ALEXNET227 = Architecture(
    name="alexnet227",
    summary="input resized to 227x227, 96@11x11/4, then as alexnet, ungrouped",
    source="Krizhevsky, Sutskever & Hinton 2012",
    build=build_227,
    parameters=58_299_082,
    recipe=RECIPE,
    space=SPACE,
)
