"""Hyperparameter searches by Optuna or Keras Tuner over one description of the search space."""

from experiments.tuning.engines import DEFAULT_ENGINE, ENGINES
from experiments.tuning.pruners import PRUNERS
from experiments.tuning.samplers import SAMPLERS, samplers_of
from experiments.tuning.search import (
    Engine,
    Search,
    SearchFailedError,
    Trial,
    best_trial,
    consecutive_failures,
    finished_trials,
)

__all__ = [
    "DEFAULT_ENGINE",
    "ENGINES",
    "PRUNERS",
    "SAMPLERS",
    "Engine",
    "Search",
    "SearchFailedError",
    "Trial",
    "best_trial",
    "consecutive_failures",
    "finished_trials",
    "samplers_of",
]
