"""A multilayer perceptron with the widths that a search found."""

from dataclasses import replace

from experiments.models._mlp import RECIPE, SPACE, WIDTHS, build
from experiments.models.architecture import Architecture
from experiments.models.space import Integers

MLP = Architecture(
    name="mlp",
    summary="784-224-288-10, ReLU, dropout after each hidden layer (tuned widths)",
    source="widths and dropout found by a Keras Tuner search",
    build=build,
    parameters=243_530,
    recipe=replace(RECIPE, dropout=0.3, network={"units_1": 224, "units_2": 288, "units_3": 0}),
    space={**SPACE, "units_2": WIDTHS, "units_3": Integers(0, 512, 64)},  # 0: no third layer
    profiles=("quick", "full"),
    cost="light",
    expected_accuracy=0.983,
    expected_seconds={"mnist": 88, "usps": 12, "uci": 7},
)
