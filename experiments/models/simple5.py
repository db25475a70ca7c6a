"""Network M5 of the published MNIST ensembles, narrower."""

from dataclasses import replace

from experiments.models._simple import RECIPE, SPACE, build
from experiments.models.architecture import Architecture

SIMPLE5 = Architecture(
    name="simple5",
    summary="5 convolutions 5x5 valid over 32, 48, ... 96 filters, batch norm, no pooling, dense 64",
    source="An, Lee, Park, Yang & So 2020 (arXiv 2008.10400), M5, narrower",
    build=build,
    parameters=831_402,
    recipe=replace(RECIPE, network={"kernel": 5, "convolutions": 5, "filters": 32, "growth": 16, "dense": 64}),
    space=SPACE,
    profiles=("record",),
    expected_seconds={"mnist": 30 * 83},
)
