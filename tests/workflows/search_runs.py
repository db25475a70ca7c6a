"""Searches in this process that train no network, and what a search has left in MLflow."""

from typing import Any

import pytest
from fake_fit import FakeFit
from stand_ins import Manager

from experiments.execution.executors import Executor, ExecutorConfig, Finished, InProcessExecutor
from experiments.tracking import Store
from experiments.tuning import keras_tuner_engine
from experiments.workflows.tune.run import TuneOptions

SETTINGS = {"epochs": 4, "batch_size": 32, "precision": "float32"}


class SlowStart(InProcessExecutor):
    """Runs a task in this process while it is waited for, the first one the second time: as if that took a while."""

    def __init__(self) -> None:
        super().__init__()
        self._tasks: list[tuple[Any, ...]] = []
        self._waited = False

    def submit(self, *task: Any, **_: object) -> None:
        self._tasks.append(task)

    def running(self) -> int:
        return len(self._tasks) + super().running()

    def wait(self, seconds: float) -> list[Finished]:
        finished = super().wait(seconds)
        if self._waited and self._tasks:
            super().submit(*self._tasks.pop())
        self._waited = True
        return finished


class InThisProcess(ExecutorConfig):
    """Configures an executor that runs the trials in this process."""

    def open(self) -> Executor:
        return SlowStart()


HERE = TuneOptions("mlp_small", "uci", settings=SETTINGS, trials=4, pruner="none", executor=InThisProcess())


def use_fake_fit(patch: pytest.MonkeyPatch, fit: FakeFit | None = None) -> FakeFit:
    """Make trials train no network, and searches draw no figures."""
    made = fit or FakeFit(build=False)
    patch.setattr("experiments.workflows.tune.trials.fit", made)
    patch.setattr("experiments.workflows.tune.trials.release_memory", lambda: None)  # there is nothing to release
    patch.setattr("experiments.reporting.search_drawings", lambda *_: {})
    patch.setattr(keras_tuner_engine, "_Manager", Manager)
    return made


def parent_run(store: Store) -> Any:
    """Return the run of the only search."""
    (parent,) = store.client.search_runs([store.experiment_id], "tags.digits.kind = 'tune'")
    return parent


def trial_runs(store: Store, parent: str) -> list[Any]:
    """Return the runs of the trials, in the order of the trials."""
    found = store.client.search_runs([store.experiment_id], f"tags.mlflow.parentRunId = '{parent}'")
    return sorted(found, key=lambda run: (int(run.data.tags["digits.trial"]), run.info.start_time))


def statuses(store: Store, parent: str) -> list[str]:
    return [run.info.status for run in trial_runs(store, parent)]


def all_runs(store: Store) -> dict[str, str]:
    return {run.info.run_id: run.info.status for run in store.client.search_runs([store.experiment_id])}
