"""Network M7 of the published MNIST ensembles, narrower."""

from dataclasses import replace

from experiments.models._simple import RECIPE, SPACE, build
from experiments.models.architecture import Architecture

SIMPLE7 = Architecture(
    name="simple7",
    summary="4 convolutions 7x7 valid over 32, 64, 96, 128 filters, batch norm, no pooling, dense 64",
    source="An, Lee, Park, Yang & So 2020 (arXiv 2008.10400), M7, narrower",
    build=build,
    parameters=1_138_346,
    recipe=replace(RECIPE, network={"kernel": 7, "convolutions": 4, "filters": 32, "growth": 32, "dense": 64}),
    space=SPACE,
    profiles=("record",),
    expected_seconds={"mnist": 30 * 75},
)
