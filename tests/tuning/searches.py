"""Searches of a formula instead of trainings, for the tests of engines and samplers."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from experiments.models import Recipe
from experiments.models.space import Choices, Floats, Integers, Space, Value
from experiments.processes import this_process
from experiments.tuning import Engine, Search, Trial
from experiments.tuning.search import TrialState

RECIPE = Recipe(epochs=9, dropout=0.3, learning_rate=2e-3, network={"units_1": 224})
SPACE: Space = {
    "units_1": Integers(32, 512, 32),
    "dropout": Floats(0.0, 0.5, step=0.1),
    "learning_rate": Floats(1e-4, 1e-2, log=True),
    "batch_size": Choices((64, 128, 256)),
}


def make_search(sampler: str = "random", **changes: Any) -> Search:
    """Describe a search by Optuna without a pruner, unless `changes` say otherwise."""
    search = Search("s", changes.pop("engine", "optuna"), "mlp", "uci", "0a1b", RECIPE, SPACE, sampler, "none")
    return replace(search, **changes)


def objective(params: Mapping[str, Value]) -> float:
    """Return a value that is highest for `RECIPE`."""
    width = ((params.get("units_1", 224) - 224) / 480) ** 2
    rate = (math.log10(params.get("learning_rate", 2e-3) / 2e-3) / 2) ** 2
    return 1 - width - rate - (params.get("dropout", 0.3) - 0.3) ** 2


def claim(engine: Engine, process: str = "") -> Trial:
    """Start a trial, of which there must be one."""
    trial = engine.ask(process or this_process())
    assert trial is not None
    return trial


def end(engine: Engine, trial: Trial, state: TrialState = "complete") -> None:
    engine.tell(trial.number, state, objective(trial.params) if state == "complete" else None, 1.0)


def run_all(engine: Engine, *states: TrialState) -> Sequence[Trial]:
    """End the next trials in these states and all others as complete; return all trials."""
    following = iter(states)
    while trial := engine.ask(this_process()):
        engine.report(trial.number, 1, 0.5)
        end(engine, trial, next(following, "complete"))
    return engine.trials()


def params_of(trials: Sequence[Trial]) -> list[Mapping[str, Value]]:
    return [trial.params for trial in trials]


def counts(engine: Engine) -> tuple[int, int]:
    """Return how many trials have not ended, and how many of them could start now."""
    return engine.remaining(), engine.available()
