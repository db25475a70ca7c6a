"""Network M3 of the published MNIST ensembles, narrower."""

from dataclasses import replace

from experiments.models._simple import RECIPE, SPACE, build
from experiments.models.architecture import Architecture

SIMPLE3 = Architecture(
    name="simple3",
    summary="10 convolutions 3x3 valid over 16, 24, ... 88 filters, batch norm, no pooling, dense 64",
    source="An, Lee, Park, Yang & So 2020 (arXiv 2008.10400), M3, narrower",
    build=build,
    parameters=615_866,
    recipe=replace(RECIPE, network={"kernel": 3, "convolutions": 10, "filters": 16, "growth": 8, "dense": 64}),
    space=SPACE,
    profiles=("record",),
    expected_seconds={"mnist": 30 * 79},
)
