"""The small network that reads other people's digits in pictures; see `experiments.inference`."""

from typing import TYPE_CHECKING, Any

from experiments.models.architecture import IMAGE_SHAPE, Architecture
from experiments.models.recipe import Recipe
from experiments.models.space import AUGMENTATION, DROPOUT, LEARNING_RATE

if TYPE_CHECKING:
    import keras

MOMENTUM = 0.9  # of batch norm; Keras's 0.99 takes hundreds of steps to forget the untrained network


def build(recipe: Recipe) -> "keras.Model":
    """Build three stages of two convolutions each, over ``filters_1`` .. ``filters_3``, and one dense layer.

    The stages are parted by 2x2 max-pooling; the first convolution is 5x5, the others 3x3, each with batch norm.
    """
    import keras
    from keras import layers

    from experiments.models.layers import classifier

    sizes = {name: int(size) for name, size in recipe.network.items()}
    inputs = keras.Input(IMAGE_SHAPE, name="image")
    x = _convolve(inputs, sizes["filters_1"], 5, "conv_1")
    x = layers.MaxPooling2D(2, name="pool_1")(x)
    for stage in (2, 3):
        for i in (1, 2):
            x = _convolve(x, sizes[f"filters_{stage}"], 3, f"conv_{stage}_{i}")
        x = layers.MaxPooling2D(2, name=f"pool_{stage}")(x)
    x = layers.Flatten(name="flatten")(x)
    if recipe.dropout:
        x = layers.Dropout(recipe.dropout, name="dropout")(x)
    x = layers.Dense(sizes["dense"], use_bias=False, name="dense")(x)
    x = layers.BatchNormalization(momentum=MOMENTUM, name="dense_norm")(x)
    x = layers.ReLU(name="penultimate")(x)
    return keras.Model(inputs, classifier(x), name="reader")


def _convolve(x: Any, filters: int, kernel: int, name: str) -> Any:
    from keras import layers

    x = layers.Conv2D(filters, kernel, padding="same", use_bias=False, name=name)(x)
    x = layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


READER = Architecture(
    name="reader",
    summary="5x5 convolution and two stages of two 3x3 convolutions with batch norm, one dense layer; for pictures",
    source="this project; stages after Simonyan & Zisserman 2015, batch norm after Ioffe & Szegedy 2015",
    build=build,
    parameters=234_642,
    recipe=Recipe(
        epochs=16,
        batch_size=128,
        learning_rate=3e-3,
        schedule="one-cycle",
        patience=0,
        weight_decay=1e-4,
        dropout=0.2,
        effects="all",
        outsiders=0.3,
        network={"filters_1": 24, "filters_2": 48, "filters_3": 96, "dense": 88},
    ),
    space={"learning_rate": LEARNING_RATE, "dropout": DROPOUT, "augmentation": AUGMENTATION},
    also=("usps",),
    profiles=("reader",),
    expected_seconds={"mnist": 1200},
)
