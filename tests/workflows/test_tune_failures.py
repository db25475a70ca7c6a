"""Searches whose trials fail, diverge or are interrupted, whose workers crash, and whose other machines fall silent."""

import sqlite3
from collections.abc import Callable
from csv import DictReader
from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fake_fit import FakeFit
from run_files import text
from search_runs import HERE, all_runs, parent_run, statuses, trial_runs, use_fake_fit
from stand_ins import ProgressLog

from experiments import tracking
from experiments.errors import DigitsError
from experiments.execution.executors import ExecutorConfig, Finished, InProcessExecutor
from experiments.results import by_metric, select, value
from experiments.tracking import Store
from experiments.tracking.past_runs import results_table
from experiments.tracking.runs import create_run
from experiments.training import Checkpoint, DivergedError, Fit
from experiments.tuning import Engine, SearchFailedError, Trial
from experiments.tuning.optuna_engine import OptunaEngine, open_study
from experiments.workflows.tune.pipeline import MAX_CONSECUTIVE_CRASHES
from experiments.workflows.tune.run import TuneOptions, tune


@pytest.fixture
def fit(monkeypatch: pytest.MonkeyPatch) -> FakeFit:
    return use_fake_fit(monkeypatch)


def test_a_failed_trial_is_made_up_for_and_a_diverged_one_counts_as_pruned(store: Store, fit: FakeFit) -> None:
    fit.raised = {1: ValueError("no luck\nat all"), 2: DivergedError("the loss of epoch 1 is not finite")}
    result = tune(store, HERE)
    assert (result.trials, result.failed, result.repeated, result.pruned) == (4, 1, 0, 1)
    assert parent_run(store).info.status == "FINISHED"
    assert statuses(store, result.run_id) == ["FINISHED", "FAILED", "KILLED", "FINISHED", "FINISHED"]
    assert len({recipe.learning_rate for recipe in fit.recipes}) == 5
    _, failed, diverged, *_ = trial_runs(store, result.run_id)
    assert "ValueError: no luck" in text(store, failed.info.run_id, "traceback.txt")
    assert diverged.data.tags["optuna.state"] == "PRUNED"
    assert diverged.data.tags["digits.pruned_because"] == str(fit.raised[2])
    rows = list(DictReader(StringIO(text(store, result.run_id, "trials.csv"))))
    assert [row["state"] for row in rows] == ["complete", "failed", "pruned", "complete", "complete"]
    assert rows[1]["error"] == "ValueError: no luck"
    table = results_table(store, result.run_id)
    trials = select(table, metric="val_accuracy")
    assert [*trials["group"]] == ["0", "2", "3", "4"]
    assert ({*trials["method"]}, {*table["model"]}) == ({"optuna/tpe"}, {"mlp_small"})
    complete = trials[trials["group"] != "2"]
    assert complete["value"].max() == value(table, "best_value") == result.best_value
    expected = {"best_value": result.best_value, "trials": 4, "trials_pruned": 1, "trials_failed": 1}
    assert parent_run(store).data.metrics == expected == by_metric(select(table, method=""))


def test_failures_in_a_row_end_the_search_and_the_same_command_tries_again(store: Store, fit: FakeFit) -> None:
    fit.raised = dict.fromkeys((1, 2, 3), MemoryError("all is full"))
    with pytest.raises(SearchFailedError, match=r"3 trials .* MemoryError: all is full; "):
        tune(store, HERE)
    parent = parent_run(store)
    assert parent.info.status == "FAILED"
    assert len(fit.recipes) == 4
    result = tune(store, HERE)
    assert (result.run_id, result.trials, result.failed) == (parent.info.run_id, 4, 3)
    assert statuses(store, result.run_id) == ["FINISHED", *["FAILED"] * 3, *["FINISHED"] * 3]
    assert parent_run(store).info.status == "FINISHED"


def test_failures_that_are_not_in_a_row_do_not_end_a_search(store: Store, fit: FakeFit) -> None:
    fit.raised = dict.fromkeys((0, 1, 3, 4, 6), RuntimeError("no luck"))
    result = tune(store, HERE)
    assert (result.trials, result.failed) == (4, 5)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(143)], ids=repr)
def test_a_trial_that_is_interrupted_is_repeated(store: Store, fit: FakeFit, error: BaseException) -> None:
    fit.raised[1] = error
    with pytest.raises(type(error)):
        tune(store, HERE)
    assert sorted(all_runs(store).values()) == ["FINISHED", "KILLED", "KILLED"]
    result = tune(store, HERE)
    assert (result.trials, result.failed, result.repeated) == (4, 0, 1)
    assert statuses(store, result.run_id) == ["FINISHED", "KILLED", "FINISHED", "FINISHED", "FINISHED"]
    assert parent_run(store).info.status == "FINISHED"
    assert fit.recipes[1] == fit.recipes[2]
    assert len({recipe.learning_rate for recipe in fit.recipes}) == 4


def test_a_search_that_is_interrupted_at_its_very_end_continues_there(
    store: Store, fit: FakeFit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("experiments.reporting.search_page", interrupt)
        with pytest.raises(KeyboardInterrupt):
            tune(store, HERE)
    result = tune(store, HERE)
    assert (result.trials, len(fit.recipes)) == (4, 4)
    assert set(all_runs(store).values()) == {"FINISHED"}
    assert "4 trials" in text(store, result.run_id, "search.html")


def test_a_search_of_which_all_diverges_has_no_result(store: Store, fit: FakeFit) -> None:
    fit.raised = dict.fromkeys(range(2), DivergedError("training diverged"))
    for _ in range(2):
        with pytest.raises(DigitsError, match="--pruner none"):
            tune(store, replace(HERE, trials=2))
        assert sorted(all_runs(store).values()) == ["FAILED", "KILLED", "KILLED"]


def test_another_name_is_another_study_and_each_belongs_to_a_run(store: Store, fit: FakeFit) -> None:
    mine = tune(store, replace(HERE, study="my own", trials=1))
    with tracking.open_run(store, "suite", "all") as suite:
        yours = tune(store, replace(HERE, study="yours", trials=2, limit=100), parent=suite.id)
    assert (mine.study, mine.trials, yours.trials, len(fit.recipes)) == ("my own", 1, 2, 3)
    assert [len(trial_runs(store, result.run_id)) for result in (mine, yours)] == [1, 2]
    tags = [store.client.get_run(result.run_id).data.tags for result in (mine, yours)]
    assert [one["digits.study"] for one in tags] == ["my own", "yours"]
    assert [one.get("mlflow.parentRunId") for one in tags] == [None, suite.id]
    store.client.delete_run(mine.run_id)
    with pytest.raises(DigitsError, match=f"'my own' .* {mine.run_id}.*MLFLOW_TRACKING_URI .*--study NAME"):
        tune(store, replace(HERE, study="my own"))


def test_a_worker_that_cannot_start_ends_the_search(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_data(*_: object) -> None:
        raise DigitsError("there is no data")

    monkeypatch.setattr("experiments.workflows.tune.trials.training_data", no_data)
    with pytest.raises(DigitsError, match="there is no data"):
        tune(store, HERE)
    assert set(all_runs(store).values()) == {"FAILED"}


class Continued(FakeFit):
    """Keeps in each checkpoint how long it was trained, and in `before` how long it had been."""

    def __call__(self, *args: Any, until: int | None = None, checkpoint: Checkpoint | None = None, **named: Any) -> Fit:
        assert checkpoint
        file = checkpoint.folder / "epochs"
        self.before = [*getattr(self, "before", []), file.read_text() if file.exists() else ""]
        fitted = super().__call__(*args, until=until, checkpoint=checkpoint, **named)
        file.write_text(str(until))
        return fitted


def test_hyperband_continues_trainings_and_keeps_that_of_the_best(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = Continued(build=False, raised={1: KeyboardInterrupt(), 3: ValueError("no luck")})
    use_fake_fit(monkeypatch, fit)
    options = replace(HERE, engine="keras-tuner", sampler="hyperband", trials=6)
    with pytest.raises(KeyboardInterrupt):
        tune(store, options)
    result = tune(store, options)
    assert (result.study, result.engine) == ("uci-mlp_small-keras-tuner", "keras-tuner")
    assert (result.trials, result.failed, result.pruned, result.repeated) == (6, 1, 0, 0)
    assert fit.recipes[1] == fit.recipes[2]
    assert sorted(statuses(store, result.run_id)) == ["FAILED", *["FINISHED"] * 6, "KILLED"]
    continued = [run for run in trial_runs(store, result.run_id) if "digits.continues" in run.data.tags]
    assert fit.before.count("2") == len(continued) > 0
    assert fit.before.count("") == 8 - len(continued)
    (kept,) = next(store.root.rglob("checkpoints")).iterdir()
    assert kept.name == store.client.get_run(result.best_run_id).info.run_name


CRASH = "ended by signal 9 (out of memory?)"


class Crashing(InProcessExecutor):
    """A worker that crashes after so many trials."""

    def __init__(self, trials: int) -> None:
        super().__init__()
        self.trials, self.started = trials, 0

    def submit(self, name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        self.started += 1
        if self.trials:
            function(replace(args[0], engine=LimitedEngine(args[0].engine, self.trials)), **kwargs)
        self._finished.append(Finished(name, crash=CRASH))


class LimitedEngine:
    """An engine that starts so many trials."""

    def __init__(self, engine: Engine, left: int) -> None:
        self._engine, self._left = engine, left

    def ask(self, process: str) -> Trial | None:
        self._left -= 1
        return self._engine.ask(process) if self._left >= 0 else None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


def crashing(workers: Crashing) -> TuneOptions:
    """Return a search by such a worker."""
    return replace(HERE, trials=5, executor=cast("ExecutorConfig", SimpleNamespace(open=lambda: workers, cluster=None)))


def test_workers_that_crash_one_after_the_other_end_the_search(store: Store) -> None:
    workers, log = Crashing(0), ProgressLog()
    with pytest.raises(SearchFailedError, match=str(MAX_CONSECUTIVE_CRASHES)):
        tune(store, crashing(workers), log)
    assert workers.started == MAX_CONSECUTIVE_CRASHES
    assert f"worker-0 {CRASH}" in log.lines
    assert set(all_runs(store).values()) == {"FAILED"}


@pytest.mark.usefixtures("fit")
def test_workers_that_crash_after_a_trial_each_do_not_end_the_search(store: Store) -> None:
    workers = Crashing(1)
    result = tune(store, crashing(workers))
    assert (result.trials, workers.started) == (5, 5)


class OtherMachine(ProgressLog):
    """A machine that runs one trial of a shared study until this one has waited for it for a while."""

    def __init__(self, store: Store, study: Path, act: Callable[["OtherMachine"], None]) -> None:
        super().__init__()
        self.store, self.study, self.act = store, study, act
        self.waited = 0
        self.options = replace(HERE, storage=f"sqlite:///{study}", trials=2)
        parent = tune(store, replace(self.options, trials=1)).run_id
        search = self.options.search("uci", store.client.get_run(parent).data.tags["digits.data_digest"])
        self.engine: OptunaEngine = open_study(search, f"sqlite:///{study}", 2, lambda: "")
        trial = self.engine.ask("otherhost:1:1")
        assert trial
        self.number, self.run_id = trial.number, create_run(store, trial.name)
        self.engine.set_run(trial.number, self.run_id)

    def advance(self, done: int, total: int) -> None:  # noqa: ARG002
        self.waited += any("waiting" in line for line in self.lines)
        if self.waited == 3:
            self.act(self)


@pytest.mark.usefixtures("fit")
def test_a_trial_of_another_machine_is_waited_for(store: Store, tmp_path: Path) -> None:
    def end(machine: OtherMachine) -> None:
        machine.store.client.set_terminated(machine.run_id, "FINISHED")
        machine.engine.tell(machine.number, "complete", 0.99, 6.0)

    machine = OtherMachine(store, tmp_path / "study.db", end)
    result = tune(store, machine.options, machine)
    assert (result.trials, result.failed, result.repeated) == (2, 0, 0)
    assert (result.best_run_id, result.best_value) == (machine.run_id, 0.99)
    assert sum("waiting" in line for line in machine.lines) == 1


@pytest.mark.usefixtures("fit")
def test_the_trial_of_another_machine_that_falls_silent_is_repeated_here(store: Store, tmp_path: Path) -> None:
    def fall_silent(machine: OtherMachine) -> None:
        machine.engine._heartbeats[machine.number].set()
        with sqlite3.connect(machine.study) as database:
            database.execute("UPDATE trial_heartbeats SET heartbeat = datetime('now', '-1 hour')")
        database.close()

    machine = OtherMachine(store, tmp_path / "study.db", fall_silent)
    result = tune(store, machine.options, machine)
    assert (result.trials, result.failed, result.repeated) == (2, 0, 1)
    assert store.client.get_run(machine.run_id).info.status == "FAILED"
    trials = machine.engine.trials()
    assert [trial.state for trial in trials] == ["complete", "failed", "complete"]
    assert trials[1].params == trials[2].params
