"""Description of a sampler."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from experiments.models.space import Space, Value

STARTUP_TRIALS = 8  # random trials before a model of the objective is used: Optuna's 10 are half of a small search


@dataclass(frozen=True)
class Sampler:
    """An algorithm that suggests hyperparameters.

    Attributes
    ----------
    name
        Name on the command line.
    label
        Name in texts.
    engines
        By engine, a function that builds the engine's own sampler. For ``optuna`` it is called with the seed of the
        search and the seed of the trial, for ``keras-tuner`` with the epochs of a full training and, by keyword, the
        options that all oracles share.
    points
        For a sampler that suggests every point of a finite set once: returns these points in the order of their
        trials, from the search space and the seed of the search.
    continues
        Whether a trial may continue the training of an earlier one, so that trained weights must be kept.
    """

    name: str
    label: str
    engines: Mapping[str, Callable[..., Any]]
    points: Callable[[Space, int], list[dict[str, Value]]] | None = None
    continues: bool = False
