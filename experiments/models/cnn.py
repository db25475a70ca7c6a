"""The plain convolutional networks of the tutorials: 3x3 convolutions, max-pooling, one dense layer."""

from typing import TYPE_CHECKING, Any

from experiments.models.architecture import IMAGE_SHAPE, Architecture
from experiments.models.recipe import Recipe
from experiments.models.space import DROPOUT, LEARNING_RATE, Choices, Integers, Space

if TYPE_CHECKING:
    import keras


def build(recipe: Recipe) -> "keras.Model":
    """Alternate convolution and 2x2 max-pooling over ``filters_1`` .. ``filters_3``, then one dense layer.

    A third convolution, where there is one, is not pooled. ``same`` (0 or 1) pads the convolutions; one that is
    larger than what it looks at is padded in any case. ``norm`` (0 or 1) puts batch norm before each ReLU, in place of
    the bias.
    """
    import keras
    from keras import layers

    from experiments.models.layers import classifier

    sizes = {name: int(size) for name, size in recipe.network.items()}
    norm = bool(sizes["norm"])
    inputs = keras.Input(IMAGE_SHAPE, name="image")
    x = inputs
    for i in range(1, 4):
        filters = sizes[f"filters_{i}"]
        if filters:
            padding = "same" if sizes["same"] or sizes["kernel"] > x.shape[1] else "valid"
            convolution = layers.Conv2D(filters, sizes["kernel"], padding=padding, use_bias=not norm, name=f"conv_{i}")
            x = _rectified(convolution(x), norm, f"relu_{i}")
        if filters and i < 3:
            x = layers.MaxPooling2D(2, name=f"pool_{i}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = _rectified(layers.Dense(sizes["dense"], use_bias=not norm, name="dense")(x), norm, "penultimate")
    if recipe.dropout:
        x = layers.Dropout(recipe.dropout, name="dropout")(x)
    return keras.Model(inputs, classifier(x), name="cnn")


def _rectified(x: Any, norm: bool, name: str) -> Any:
    from keras import layers

    if norm:
        # Keras's own memory of 0.99 takes hundreds of steps to forget what the untrained network gave.
        x = layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)
    return layers.ReLU(name=name)(x)


FILTERS = Integers(16, 256, 16)
SPACE: Space = {
    "filters_1": FILTERS,
    "filters_2": FILTERS,
    "kernel": Choices((3, 5)),
    "dense": Integers(32, 256, 32),
    "dropout": DROPOUT,
    "learning_rate": LEARNING_RATE,
}

CNN = Architecture(
    name="cnn",
    summary="conv3x3 32, pool, conv3x3 64, pool, dense 128, dropout 0.5",
    source="the MNIST example of Keras",
    build=build,
    parameters=225_034,
    recipe=Recipe(
        dropout=0.5,
        rotation=10,
        zoom=0.1,
        shift=0.1,
        network={"filters_1": 32, "filters_2": 64, "filters_3": 0, "kernel": 3, "same": 0, "dense": 128, "norm": 0},
    ),
    space=SPACE,
    expected_accuracy=0.991,
)

CNN_NORM = Architecture(
    name="cnn_norm",
    summary="as cnn, batch norm before each ReLU, dropout 0.3; one-cycle rate",
    source="the MNIST example of Keras; batch norm after Ioffe & Szegedy 2015",
    build=build,
    parameters=225_706,
    recipe=Recipe(
        epochs=8,
        learning_rate=3e-3,
        schedule="one-cycle",
        patience=0,
        dropout=0.3,
        label_smoothing=0.05,
        rotation=10,
        zoom=0.1,
        shift=0.1,
        network={"filters_1": 32, "filters_2": 64, "filters_3": 0, "kernel": 3, "same": 0, "dense": 128, "norm": 1},
    ),
    space=SPACE,
)

CNN_WIDE = Architecture(
    name="cnn_wide",
    summary="conv3x3 32 same, pool, conv3x3 192 same, pool, dense 128, dropout 0.5",
    source="widths found by an Optuna search",
    build=build,
    parameters=1_261_450,
    recipe=Recipe(
        dropout=0.5,
        network={"filters_1": 32, "filters_2": 192, "filters_3": 0, "kernel": 3, "same": 1, "dense": 128, "norm": 0},
    ),
    space=SPACE,
    expected_accuracy=0.991,
)

CNN_DEEP = Architecture(
    name="cnn_deep",
    summary="conv3x3 32, pool, conv3x3 64, pool, conv3x3 64, dense 64, dropout 0.5",
    source="TensorFlow's CNN tutorial, with dropout",
    build=build,
    parameters=93_322,
    recipe=Recipe(
        dropout=0.5,
        rotation=10,
        zoom=0.1,
        shift=0.1,
        network={"filters_1": 32, "filters_2": 64, "filters_3": 64, "kernel": 3, "same": 0, "dense": 64, "norm": 0},
    ),
    space={**SPACE, "filters_3": FILTERS},
    expected_accuracy=0.992,
)
