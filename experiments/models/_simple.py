"""The networks of the published MNIST ensembles, narrower: unpadded convolutions and batch norm, no pooling.

At the widths of the members an epoch takes as long as one of ResNet-20.
"""

from typing import TYPE_CHECKING, Any

from experiments.models.architecture import IMAGE_SHAPE
from experiments.models.recipe import Recipe
from experiments.models.space import AUGMENTATION, BATCH_SIZE, LEARNING_RATE, Space

if TYPE_CHECKING:
    import keras

# PyTorch's default, which the paper uses. Keras's default of 0.99 would lag behind weights that still change.
MOMENTUM = 0.9


def build(recipe: Recipe) -> "keras.Model":
    """Stack unpadded convolutions, each followed by batch norm and ReLU, then one dense layer of the same kind.

    The recipe's sizes are the `kernel` and the number of `convolutions`, the `filters` of the first, by how many
    (`growth`) each further one is wider, and the units of the layer `penultimate` (`dense`). Without pooling a map
    loses only the borders that the kernels take, so that the dense layer still knows the position of each stroke:
    kernel 3 with 10 convolutions ends in 8x8, kernel 5 with 5 in 8x8, kernel 7 with 4 in 4x4.

    The differences to An et al. 2020 are the widths (theirs are 32 + 16 i, 32 + 32 i, 48 + 48 i) and the head: theirs
    maps to ten scores directly, with batch norm; here a layer of `dense` features has batch norm, followed by the
    classifier that all networks share.
    """
    import keras
    from keras import layers

    from experiments.models.layers import classifier

    sizes = {name: int(size) for name, size in recipe.network.items()}
    inputs = keras.Input(IMAGE_SHAPE, name="image")
    x = inputs
    for i in range(sizes["convolutions"]):
        filters = sizes["filters"] + i * sizes["growth"]
        x = layers.Conv2D(filters, sizes["kernel"], use_bias=False, name=f"conv_{i + 1}")(x)
        x = _rectified(x, f"relu_{i + 1}")
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(sizes["dense"], use_bias=False, name="dense")(x)
    x = _rectified(x, "penultimate")
    if recipe.dropout:
        x = layers.Dropout(recipe.dropout, name="dropout")(x)
    return keras.Model(inputs, classifier(x), name=f"simple{sizes['kernel']}")


def _rectified(x: Any, name: str) -> Any:
    from keras import layers

    return layers.ReLU(name=name)(layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_norm")(x))


SPACE: Space = {"learning_rate": LEARNING_RATE, "batch_size": BATCH_SIZE, "augmentation": AUGMENTATION}

# In few epochs a rate that falls to 0 beats the published average of the weights, and the published warps are too
# strong (docs/record.md).
RECIPE = Recipe(epochs=30, learning_rate=3e-3, schedule="one-cycle", patience=0, rotation=10, zoom=0.1, shift=0.1)
