"""Searches for hyperparameters: what is searched, by Optuna or by Keras Tuner, from one shared description."""

from experiments.tuning.search import (
    ENGINES,
    MOST_FAILURES,
    OBJECTIVE,
    PRUNERS,
    SAMPLERS,
    Engine,
    Search,
    SearchFailedError,
    Trial,
    best_trial,
    counted,
    failures_in_a_row,
)

__all__ = [
    "ENGINES",
    "MOST_FAILURES",
    "OBJECTIVE",
    "PRUNERS",
    "SAMPLERS",
    "Engine",
    "Search",
    "SearchFailedError",
    "Trial",
    "best_trial",
    "counted",
    "failures_in_a_row",
]
