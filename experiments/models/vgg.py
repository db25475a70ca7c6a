"""VGG-11 with batch normalization, fitted to 28x28."""

from typing import TYPE_CHECKING

from experiments.models.architecture import IMAGE_SHAPE, Architecture
from experiments.models.recipe import Recipe
from experiments.models.space import AUGMENTATION, BATCH_SIZE, DROPOUT, LEARNING_RATE, WEIGHT_DECAY

if TYPE_CHECKING:
    import keras

# Configuration A of the paper: filters of each 3x3 convolution, block by block.
BLOCKS = ((64,), (128,), (256, 256), (512, 512), (512, 512))


def build(recipe: Recipe) -> "keras.Model":
    """Build VGG-11's five blocks of 3x3 convolutions, each followed by batch norm.

    28x28 can be halved only four times, so the last block ends in global average pooling (over one position) instead
    of max-pooling, and one dense layer of 512 replaces the two of 4,096.
    """
    import keras
    from keras import layers

    from experiments.models.layers import classifier

    inputs = keras.Input(IMAGE_SHAPE, name="image")
    x = inputs
    for b, block in enumerate(BLOCKS, start=1):
        for c, filters in enumerate(block, start=1):
            x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"conv_{b}_{c}")(x)
            x = layers.BatchNormalization(name=f"norm_{b}_{c}")(x)
            x = layers.ReLU(name=f"relu_{b}_{c}")(x)
        if b < len(BLOCKS):
            x = layers.MaxPooling2D(2, name=f"pool_{b}")(x)
    x = layers.GlobalAveragePooling2D(name="pool_5")(x)
    x = layers.Dense(512, activation="relu", name="penultimate")(x)
    x = layers.Dropout(recipe.dropout, name="dropout")(x)
    return keras.Model(inputs, classifier(x), name="vgg")


VGG = Architecture(
    name="vgg",
    summary="VGG-11 blocks 64, 128, 256x2, 512x2, 512x2 with batch norm, dense 512, dropout 0.5",
    source="Simonyan & Zisserman 2015, configuration A; batch norm after Ioffe & Szegedy 2015",
    build=build,
    parameters=9_495_370,
    recipe=Recipe(epochs=3, schedule="one-cycle", patience=0, dropout=0.5, rotation=10, zoom=0.1, shift=0.1),
    space={
        "learning_rate": LEARNING_RATE,
        "batch_size": BATCH_SIZE,
        "dropout": DROPOUT,
        "weight_decay": WEIGHT_DECAY,
        "augmentation": AUGMENTATION,
    },
    profiles=("full",),
    expected_seconds={"mnist": 590},
)
