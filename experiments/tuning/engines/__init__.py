"""The search libraries, by name; see `SearchLibrary`. Importing this imports none of them."""

from experiments.errors import UsageError
from experiments.tuning.engines.keras_tuner import KERAS_TUNER
from experiments.tuning.engines.library import SearchLibrary
from experiments.tuning.engines.optuna import OPTUNA

ENGINES: dict[str, SearchLibrary] = {library.name: library for library in (OPTUNA, KERAS_TUNER)}
"""All search libraries by the name of their engine."""

DEFAULT_ENGINE = next(iter(ENGINES))


def search_library(engine: str) -> SearchLibrary:
    """Return the search library of an engine.

    Raises
    ------
    UsageError
        If there is none.
    """
    if engine not in ENGINES:
        raise UsageError(f"there is no engine {engine!r}; choose one of {', '.join(ENGINES)}")
    return ENGINES[engine]


__all__ = ["DEFAULT_ENGINE", "ENGINES", "SearchLibrary", "search_library"]
