"""Keras Tuner (O'Malley et al. 2019)."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.tuning.engines.library import SearchLibrary

if TYPE_CHECKING:
    from experiments.tuning.search import Engine, Search


def open_engine(
    search: "Search", folder: Path, total: int, _: str | None, make_run: Callable[[], str]
) -> AbstractContextManager["Engine"]:
    """Open a search in a folder."""
    from experiments.tuning.keras_tuner_engine import keras_tuner_engine

    return keras_tuner_engine(search, folder, total, make_run)


KERAS_TUNER = SearchLibrary(
    "keras-tuner",
    ("none",),
    "none",
    open_engine,
    unsupported={
        "pruner": "Keras Tuner prunes by its hyperband sampler alone",
        "storage": "Keras Tuner keeps its searches in files",
        "cluster": "Keras Tuner's oracle serves this machine alone",
    },
)
