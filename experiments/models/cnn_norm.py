"""`cnn` with batch norm."""

from experiments.models._cnn import SPACE, build
from experiments.models.architecture import Architecture
from experiments.models.recipe import Recipe

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
    profiles=("full",),
    cost="light",
    expected_seconds={"mnist": 150, "usps": 26},
)
