"""Optuna (Akiba et al. 2019)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.tuning.engines.library import SearchLibrary
from experiments.tuning.pruners import PRUNERS

if TYPE_CHECKING:
    from experiments.tuning.search import Engine, Search


@contextmanager
def open_engine(
    search: "Search", folder: Path, total: int, storage: str | None, make_run: Callable[[], str]
) -> Iterator["Engine"]:
    """Open a study in a database, or in a journal file if there is no storage URL."""
    from experiments.tuning.optuna_engine import open_study

    yield open_study(search, storage or str(folder / "study.journal"), total, make_run)


OPTUNA = SearchLibrary("optuna", tuple(PRUNERS), "median", open_engine)
