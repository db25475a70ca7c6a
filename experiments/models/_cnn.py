"""Plain convolutional networks as in tutorials: 3x3 convolutions, max-pooling, one dense layer."""

from typing import TYPE_CHECKING, Any

from experiments.models.architecture import IMAGE_SHAPE
from experiments.models.recipe import Recipe
from experiments.models.space import DROPOUT, LEARNING_RATE, Choices, Integers, Space

if TYPE_CHECKING:
    import keras


def build(recipe: Recipe) -> "keras.Model":
    """Alternate convolution and 2x2 max-pooling over ``filters_1`` .. ``filters_3``, then one dense layer.

    The third convolution is not pooled; 0 filters leave a convolution out. ``same`` (0 or 1) pads the convolutions; a
    kernel larger than its input is padded in any case. ``norm`` (0 or 1) puts batch norm before each ReLU, in place
    of the bias.
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
        # Keras's default of 0.99 takes hundreds of steps to forget the statistics of the untrained network.
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
