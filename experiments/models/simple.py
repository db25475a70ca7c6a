"""The plain networks of the published MNIST ensembles, narrower: unpadded convolutions and batch norm, no pooling."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from experiments.models.architecture import IMAGE_SHAPE, Architecture
from experiments.models.recipe import Recipe
from experiments.models.space import AUGMENTATION, BATCH_SIZE, LEARNING_RATE, Space

if TYPE_CHECKING:
    import keras

# What the paper's PyTorch does by default. Keras's own memory of 0.99 would lag behind weights that still move.
MOMENTUM = 0.9


def build(recipe: Recipe) -> "keras.Model":
    """Stack unpadded convolutions, each followed by batch norm and ReLU, then one dense layer of the same kind.

    The recipe's sizes are the `kernel` and number of the `convolutions`, the `filters` of the first and by how many
    (`growth`) each has more than the one before, and the units of the layer `penultimate` (`dense`). Every map keeps
    its full resolution but for the borders that the kernels take, so that the position of each stroke is still known
    to the dense layer: kernel 3 with 10 convolutions ends in 8x8, kernel 5 with 5 in 8x8, kernel 7 with 4 in 4x4.

    It differs from An et al. 2020 in its widths (theirs are 32 + 16 i, 32 + 32 i, 48 + 48 i) and behind the
    convolutions: theirs go straight to ten scores, normalised over the batch; here a layer of `dense` features is
    normalised and the classifier is the one that all networks share.
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


def _sizes(kernel: int, convolutions: int, filters: int, growth: int) -> dict[str, int]:
    return {"kernel": kernel, "convolutions": convolutions, "filters": filters, "growth": growth, "dense": 64}


SPACE: Space = {"learning_rate": LEARNING_RATE, "batch_size": BATCH_SIZE, "augmentation": AUGMENTATION}
SOURCE = "An, Lee, Park, Yang & So 2020 (arXiv 2008.10400), {}, narrower"

# In few epochs a rate that goes to 0 does better than the published average of the weights, which adds nothing to it,
# and the published warps are too strong (docs/record.md).
RECIPE = Recipe(epochs=30, learning_rate=3e-3, schedule="one-cycle", patience=0, rotation=10, zoom=0.1, shift=0.1)

# Widths at which an epoch of each takes as long as one of ResNet-20.
SIMPLE3 = Architecture(
    name="simple3",
    summary="10 convolutions 3x3 valid over 16, 24, ... 88 filters, batch norm, no pooling, dense 64",
    source=SOURCE.format("M3"),
    build=build,
    parameters=615_866,
    recipe=replace(RECIPE, network=_sizes(kernel=3, convolutions=10, filters=16, growth=8)),
    space=SPACE,
)

SIMPLE5 = Architecture(
    name="simple5",
    summary="5 convolutions 5x5 valid over 32, 48, ... 96 filters, batch norm, no pooling, dense 64",
    source=SOURCE.format("M5"),
    build=build,
    parameters=831_402,
    recipe=replace(RECIPE, network=_sizes(kernel=5, convolutions=5, filters=32, growth=16)),
    space=SPACE,
)

SIMPLE7 = Architecture(
    name="simple7",
    summary="4 convolutions 7x7 valid over 32, 64, 96, 128 filters, batch norm, no pooling, dense 64",
    source=SOURCE.format("M7"),
    build=build,
    parameters=1_138_346,
    recipe=replace(RECIPE, network=_sizes(kernel=7, convolutions=4, filters=32, growth=32)),
    space=SPACE,
)
