"""The three-convolution network of TensorFlow's CNN tutorial."""

from experiments.models._cnn import FILTERS, SPACE, build
from experiments.models.architecture import Architecture
from experiments.models.recipe import Recipe

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
    profiles=("full",),
    expected_accuracy=0.992,
    expected_seconds={"mnist": 150},
)
