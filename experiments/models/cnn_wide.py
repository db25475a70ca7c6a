"""`cnn` with the widths that a search found."""

from experiments.models._cnn import SPACE, build
from experiments.models.architecture import Architecture
from experiments.models.recipe import Recipe

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
    profiles=("full",),
    expected_accuracy=0.991,
    expected_seconds={"mnist": 500},
)
