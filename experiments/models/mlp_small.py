"""A multilayer perceptron with one hidden layer."""

from dataclasses import replace

from experiments.models._mlp import RECIPE, SPACE, build
from experiments.models.architecture import Architecture

MLP_SMALL = Architecture(
    name="mlp_small",
    summary="784-128-10, ReLU",
    source="TensorFlow's beginner quickstart",
    build=build,
    parameters=101_770,
    recipe=replace(RECIPE, network={"units_1": 128}),
    space=SPACE,
    profiles=("quick", "full"),
    cost="light",
    expected_accuracy=0.978,
    expected_seconds={"mnist": 45, "usps": 12, "uci": 5},
)
