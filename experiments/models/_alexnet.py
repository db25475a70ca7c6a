"""Layers, recipe and search space that AlexNet has in both geometries."""

from typing import Any

from experiments.models.recipe import Recipe
from experiments.models.space import AUGMENTATION, BATCH_SIZE, DROPOUT, LEARNING_RATE, Space


def after_first_convolution(x: Any, recipe: Recipe) -> Any:
    """Add all layers after the first convolution; normalization precedes pooling, as in the paper."""
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


# An epoch takes minutes on two cores: few epochs, planned as one cycle of the learning rate.
RECIPE = Recipe(epochs=3, schedule="one-cycle", patience=0, dropout=0.5, rotation=10, zoom=0.1, shift=0.1)

SPACE: Space = {
    "learning_rate": LEARNING_RATE,
    "batch_size": BATCH_SIZE,
    "dropout": DROPOUT,
    "augmentation": AUGMENTATION,
}
