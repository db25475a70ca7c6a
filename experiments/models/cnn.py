"""The convolutional network of Keras's MNIST example."""

from experiments.models._cnn import SPACE, build
from experiments.models.architecture import Architecture
from experiments.models.recipe import Recipe

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
    profiles=("quick", "full"),
    cost="light",
    expected_accuracy=0.991,
    expected_seconds={"mnist": 92, "usps": 19, "uci": 8},
)
