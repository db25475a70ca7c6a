"""ResNet-20, the CIFAR variant, for one channel."""

from typing import TYPE_CHECKING, Any

from experiments.models.architecture import IMAGE_SHAPE, Architecture
from experiments.models.recipe import Recipe
from experiments.models.space import AUGMENTATION, BATCH_SIZE, LEARNING_RATE, WEIGHT_DECAY

if TYPE_CHECKING:
    import keras

FILTERS = (16, 32, 64)
BLOCKS_PER_STACK = 3  # 6n + 2 weighted layers with n = 3 make 20


def build(recipe: Recipe) -> "keras.Model":
    """Build three stacks of three residual blocks over 16, 32 and 64 filters, then global average pooling.

    If a stack halves the image, the shortcut is a 1x1 convolution with stride 2 (the paper's option B, which has
    2,752 more trainable weights than the zero padding of option A and needs no slicing layer).
    """
    import keras
    from keras import layers

    from experiments.models.layers import classifier

    inputs = keras.Input(IMAGE_SHAPE, name="image")
    x = layers.ReLU(name="relu")(_convolve(inputs, FILTERS[0], 3, 1, ""))
    for s, filters in enumerate(FILTERS, start=1):
        x = _stack(x, filters, stride=1 if s == 1 else 2, name=f"stack_{s}")
    x = layers.GlobalAveragePooling2D(name="penultimate")(x)
    if recipe.dropout:
        x = layers.Dropout(recipe.dropout, name="dropout")(x)
    return keras.Model(inputs, classifier(x), name="resnet")


def _stack(x: Any, filters: int, stride: int, name: str) -> Any:
    for b in range(1, BLOCKS_PER_STACK + 1):
        x = _block(x, filters, stride if b == 1 else 1, f"{name}_{b}_")
    return x


def _block(x: Any, filters: int, stride: int, name: str) -> Any:
    from keras import layers

    shortcut = x if stride == 1 else _convolve(x, filters, 1, stride, f"{name}shortcut_")
    x = layers.ReLU(name=f"{name}relu_1")(_convolve(x, filters, 3, stride, f"{name}1_"))
    x = _convolve(x, filters, 3, 1, f"{name}2_")
    return layers.ReLU(name=f"{name}relu_2")(layers.Add(name=f"{name}add")([x, shortcut]))


def _convolve(x: Any, filters: int, kernel: int, stride: int, name: str) -> Any:
    from keras import layers

    x = layers.Conv2D(
        filters,
        kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}conv",
    )(x)
    return layers.BatchNormalization(name=f"{name}norm")(x)


RESNET = Architecture(
    name="resnet",
    summary="ResNet-20: 3 stacks of 3 residual blocks over 16, 32, 64 filters, batch norm, global average pooling",
    source="He, Zhang, Ren & Sun 2016, section 4.2",
    build=build,
    parameters=273_754,
    recipe=Recipe(
        epochs=6,
        learning_rate=3e-3,
        schedule="one-cycle",
        patience=0,
        weight_decay=1e-4,
        rotation=10,
        zoom=0.1,
        shift=0.1,
    ),
    space={
        "learning_rate": LEARNING_RATE,
        "batch_size": BATCH_SIZE,
        "weight_decay": WEIGHT_DECAY,
        "augmentation": AUGMENTATION,
    },
    profiles=("full", "record"),
    expected_accuracy=0.993,
    expected_seconds={"mnist": 590},
)
