"""Searches whose trials fail, diverge or are interrupted, and whose workers crash.

Most of them train no network: a script stands in for `fit`.
"""

import inspect
from collections.abc import Callable, Iterator
from csv import DictReader
from dataclasses import replace
from io import StringIO
from typing import Any, cast

import pytest
from in_process import InThisProcess, ProgressLog
from search_runs import SETTINGS, all_runs, status, statuses, text, trial_runs

from experiments import tracking
from experiments.errors import DigitsError
from experiments.execution.executors import Executor, ExecutorConfig, Finished, InProcessExecutor
from experiments.models import Recipe
from experiments.results import by_metric, select, value
from experiments.tracking import Store
from experiments.tracking.past_runs import results_table
from experiments.training import Checkpoint, DivergedError, Epoch, Fit
from experiments.tuning import SearchFailedError
from experiments.workflows.tune import trials as trials_module
from experiments.workflows.tune.pipeline import MAX_CONSECUTIVE_CRASHES
from experiments.workflows.tune.run import TuneOptions, tune


class Script:
    """Trainings that raise, by the order in which they start; those without an entry succeed."""

    def __init__(self) -> None:
        self.begun: list[Recipe] = []
        self.callers: list[str] = []
        self.raised: dict[int, BaseException] = {}

    def __call__(
        self,
        _: object,
        recipe: Recipe,
        *__: object,
        until: int | None,
        checkpoint: Checkpoint | None,
        on_epoch: Callable[[Epoch], None],
    ) -> Fit:
        self.begun.append(recipe)
        self.callers = [one.function for one in inspect.stack() if "/experiments/" in one.filename]
        if checkpoint:
            checkpoint.folder.mkdir(parents=True, exist_ok=True)
        error = self.raised.get(len(self.begun) - 1)
        accuracy = 0.5 + 0.4 * recipe.dropout  # of the largest dropout, to have something to find
        epochs = [
            Epoch(number, 1 / number, accuracy, 1 / number, accuracy, 0.1, 0.5)
            for number in range(1, (until or recipe.epochs) + 1)
        ]
        for epoch in epochs:
            on_epoch(epoch)
            if error:
                raise error
        return Fit(None, tuple(epochs))


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    made = Script()
    monkeypatch.setattr(trials_module, "fit", made)
    monkeypatch.setattr(trials_module, "release_memory", lambda: None)  # there is nothing to let go of
    monkeypatch.setattr("experiments.reporting.search_drawings", lambda *_: {})  # those of a real search are looked at
    return made


HERE = TuneOptions("mlp_small", "uci", settings=SETTINGS, trials=4, pruner="none", executor=InThisProcess())


def test_few_functions_stand_between_a_command_and_the_training(store: Store, script: Script) -> None:
    tune(store, HERE)
    assert script.callers == ["run_trials", "submit", "run_search", "tune"]


def test_the_table_of_results_has_all_trials_and_mlflow_the_best(store: Store, script: Script) -> None:
    script.raised = {1: ValueError("no luck"), 2: DivergedError("training diverged")}
    result = tune(store, HERE)
    table = results_table(store, result.run_id)
    trials = select(table, metric="val_accuracy")
    assert [*trials["group"]] == ["0", "2", "3", "4"]  # trial 1 failed
    assert {*trials["method"]} == {"optuna/tpe"}
    assert {*table["model"]} == {"mlp_small"}
    complete = trials[trials["group"] != "2"]
    assert complete["value"].max() == value(table, "best_value") == result.best_value
    metrics = store.client.get_run(result.run_id).data.metrics
    expected = {"best_value": result.best_value, "trials": 4, "trials_pruned": 1, "trials_failed": 1}
    assert metrics == expected == by_metric(select(table, method=""))


def test_a_trial_that_fails_is_made_up_for_by_another(store: Store, script: Script) -> None:
    script.raised[1] = ValueError("no luck\nat all")
    result = tune(store, HERE)
    assert (result.trials, result.failed, result.repeated, result.pruned) == (4, 1, 0, 0)
    assert statuses(store, result.run_id) == ["FINISHED", "FAILED", "FINISHED", "FINISHED", "FINISHED"]
    assert status(store, result.run_id) == "FINISHED"
    failed = trial_runs(store, result.run_id)[1]
    assert "ValueError: no luck" in text(store, failed.info.run_id, "traceback.txt")
    assert len({recipe.learning_rate for recipe in script.begun}) == 5
    assert store.client.get_run(result.run_id).data.metrics["trials_failed"] == 1
    row = list(DictReader(StringIO(text(store, result.run_id, "trials.csv"))))[1]
    assert (row["state"], row["error"]) == ("failed", "ValueError: no luck")


def test_failures_in_a_row_end_the_search_and_the_same_command_tries_again(store: Store, script: Script) -> None:
    script.raised = dict.fromkeys((1, 2, 3), MemoryError("all is full"))
    with pytest.raises(SearchFailedError) as caught:
        tune(store, HERE)
    said = "3 trials failed in a row, the last one with MemoryError: all is full; "
    assert str(caught.value) == said + "fix this and re-run the command"
    (parent,) = (run for run in store.client.search_runs([store.experiment_id], "tags.digits.kind = 'tune'"))
    assert parent.info.status == "FAILED"
    assert len(script.begun) == 4
    result = tune(store, HERE)
    assert result.run_id == parent.info.run_id
    assert (result.trials, result.failed) == (4, 3)
    assert statuses(store, result.run_id) == ["FINISHED", *["FAILED"] * 3, *["FINISHED"] * 3]
    assert status(store, result.run_id) == "FINISHED"


def test_failures_that_are_not_in_a_row_do_not_end_a_search(store: Store, script: Script) -> None:
    script.raised = dict.fromkeys((0, 1, 3, 4, 6), RuntimeError("no luck"))
    result = tune(store, HERE)
    assert (result.trials, result.failed) == (4, 5)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(143)], ids=repr)
def test_a_trial_that_is_interrupted_is_tried_again(store: Store, script: Script, error: BaseException) -> None:
    script.raised[1] = error
    with pytest.raises(type(error)):
        tune(store, HERE)
    assert sorted(all_runs(store).values()) == ["FINISHED", "KILLED", "KILLED"]
    result = tune(store, HERE)
    assert (result.trials, result.failed, result.repeated) == (4, 0, 1)
    assert statuses(store, result.run_id) == ["FINISHED", "KILLED", "FINISHED", "FINISHED", "FINISHED"]
    assert status(store, result.run_id) == "FINISHED"
    assert script.begun[1] == script.begun[2]
    assert len({recipe.learning_rate for recipe in script.begun}) == 4


def test_a_search_that_is_interrupted_at_its_very_end_goes_on_there(
    store: Store, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("experiments.reporting.search_page", interrupt)
        with pytest.raises(KeyboardInterrupt):
            tune(store, HERE)
    result = tune(store, HERE)
    assert (result.trials, len(script.begun)) == (4, 4)
    assert set(all_runs(store).values()) == {"FINISHED"}
    assert "4 trials" in text(store, result.run_id, "search.html")


def test_a_training_that_diverges_counts_as_pruned(store: Store, script: Script) -> None:
    script.raised[1] = DivergedError("training diverged: the loss of epoch 1 is not finite")
    result = tune(store, HERE)
    assert (result.trials, result.pruned, result.failed) == (4, 1, 0)
    diverged = trial_runs(store, result.run_id)[1]
    assert (diverged.info.status, diverged.data.tags["optuna.state"]) == ("KILLED", "PRUNED")
    assert diverged.data.tags["digits.pruned_because"] == str(script.raised[1])


@pytest.mark.slow
def test_a_search_of_which_all_diverges_says_that_none_was_complete(store: Store) -> None:
    options = replace(HERE, settings=SETTINGS | {"optimizer": "sgd", "learning_rate": 1e30}, trials=2)
    for _ in range(2):
        with pytest.raises(DigitsError, match="no trial was complete"):
            tune(store, options)
        assert sorted(all_runs(store).values()) == ["FAILED", "KILLED", "KILLED"]
    (parent,) = (run for run in store.client.search_runs([store.experiment_id], "tags.digits.kind = 'tune'"))
    for run in trial_runs(store, parent.info.run_id):
        assert "is not finite" in run.data.tags["digits.pruned_because"]


@pytest.mark.slow
def test_a_point_of_a_grid_that_cannot_be_trained_is_left_out(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("experiments.reporting.search_drawings", lambda *_: {})
    fixed = {"epochs": 1, "learning_rate": 1e-3, "dropout": 0.1, "augmentation": 0.0, "precision": "float32"}
    options = TuneOptions("lenet", "uci", settings=fixed, limit=200, trials=9, sampler="grid", executor=InThisProcess())
    result = tune(store, options)
    assert (result.trials, result.failed) == (2, 1)
    outcomes = {run.data.params["batch_size"]: run.info.status for run in trial_runs(store, result.run_id)}
    assert outcomes == {"64": "FINISHED", "128": "FINISHED", "256": "FAILED"}
    (failed,) = (run for run in trial_runs(store, result.run_id) if run.info.status == "FAILED")
    assert "batch_size 256 is larger than the 200 training images" in text(store, failed.info.run_id, "traceback.txt")
    assert tune(store, options) == result
    assert len(all_runs(store)) == 4


@pytest.mark.slow
def test_what_makes_every_trial_fail_is_named(store: Store) -> None:
    options = replace(HERE, limit=50, settings=SETTINGS | {"batch_size": 60})
    for times in (1, 2):
        with pytest.raises(SearchFailedError, match="batch_size 60 is larger than the 50 training images"):
            tune(store, options)
        assert sorted(all_runs(store).values()) == ["FAILED"] * (1 + 3 * times)


def test_another_name_is_another_study(store: Store, script: Script) -> None:
    mine = tune(store, replace(HERE, study="my own", trials=1))
    yours = tune(store, replace(HERE, study="yours", trials=2, limit=100))
    assert mine.run_id != yours.run_id
    assert (mine.study, mine.trials, yours.trials, len(script.begun)) == ("my own", 1, 2, 3)
    assert len(trial_runs(store, mine.run_id)) == 1
    assert store.client.get_run(mine.run_id).data.tags["digits.study"] == "my own"


@pytest.mark.usefixtures("script")
def test_a_search_goes_under_the_run_it_belongs_to(store: Store) -> None:
    with tracking.open_run(store, "suite", "all") as suite:
        result = tune(store, replace(HERE, trials=1), parent=suite.id)
    assert store.client.get_run(result.run_id).data.tags["mlflow.parentRunId"] == suite.id
    assert len(trial_runs(store, result.run_id)) == 1


@pytest.mark.usefixtures("script")
def test_a_study_whose_run_was_deleted_is_named(store: Store) -> None:
    result = tune(store, replace(HERE, trials=1))
    store.client.delete_run(result.run_id)
    with pytest.raises(DigitsError, match=f"study 'uci-mlp_small' belongs to run {result.run_id}") as caught:
        tune(store, HERE)
    assert "--study NAME" in str(caught.value)


def test_a_worker_that_cannot_begin_ends_the_search(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_data(*_: object) -> None:
        raise DigitsError("there is no data")

    monkeypatch.setattr(trials_module, "training_data", no_data)
    with pytest.raises(DigitsError, match="there is no data"):
        tune(store, HERE)
    assert set(all_runs(store).values()) == {"FAILED"}


HYPERBAND = replace(HERE, engine="keras-tuner", sampler="hyperband", trials=6)


@pytest.mark.slow
def test_a_search_by_keras_tuner_that_is_interrupted_or_fails_goes_on_to_the_trials_asked_for_and_to_more(
    store: Store, script: Script, capfd: pytest.CaptureFixture[str]
) -> None:
    script.raised = {1: KeyboardInterrupt(), 3: ValueError("no luck")}
    with pytest.raises(KeyboardInterrupt):
        tune(store, HYPERBAND)
    assert capfd.readouterr().out == ""  # Keras Tuner would tell of it
    result = tune(store, HYPERBAND)
    assert (result.trials, result.failed, result.pruned) == (6, 1, 0)
    assert (result.study, result.engine) == ("uci-mlp_small-keras-tuner", "keras-tuner")
    assert script.begun[1] == script.begun[2]
    assert status(store, result.run_id) == "FINISHED"
    assert sorted(statuses(store, result.run_id)) == ["FAILED", *["FINISHED"] * 6, "KILLED"]
    assert len(script.begun) == 8
    more = tune(store, replace(HYPERBAND, trials=14))
    assert (more.run_id, more.trials, more.failed) == (result.run_id, 14, 1)
    assert len(script.begun) == 16


class Dying(InProcessExecutor):
    """A worker that dies when its work is done, or before it has begun."""

    def __init__(self, first: bool) -> None:
        super().__init__()
        self.first, self.started = first, 0

    def submit(self, name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        self.started += 1
        if self.first:
            self._finished.append(Finished(name, crash="ended by signal 9 (out of memory?)"))
        else:
            (task,) = args
            engine = task.engine
            left = iter([True])
            task_once = replace(task, engine=OneTrial(engine, left))
            function(task_once, **kwargs)
            self._finished.append(Finished(name, crash="ended by signal 9 (out of memory?)"))


class OneTrial:
    """An engine that hands out one trial."""

    def __init__(self, engine: Any, left: Iterator[bool]) -> None:
        self._engine, self._left = engine, left

    def ask(self, process: str) -> Any:
        return self._engine.ask(process) if next(self._left, False) else None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


class DyingExecutor(ExecutorConfig):
    """Where workers die."""

    def __init__(self, workers: Dying) -> None:
        super().__init__()
        object.__setattr__(self, "dying", workers)

    def open(self) -> Executor:
        return cast("Executor", self.__dict__["dying"])


def test_workers_that_die_one_after_the_other_end_the_search(store: Store) -> None:
    dying, log = Dying(first=True), ProgressLog()
    with pytest.raises(SearchFailedError, match=f"{MAX_CONSECUTIVE_CRASHES} workers crashed in a row"):
        tune(store, replace(HERE, executor=DyingExecutor(dying)), log)
    assert dying.started == MAX_CONSECUTIVE_CRASHES
    assert "worker-0 ended by signal 9 (out of memory?)" in log.lines
    assert set(all_runs(store).values()) == {"FAILED"}


@pytest.mark.usefixtures("script")
def test_workers_that_die_after_a_trial_each_do_not_end_the_search(store: Store) -> None:
    dying = Dying(first=False)
    result = tune(store, replace(HERE, trials=5, executor=DyingExecutor(dying)))
    assert (result.trials, dying.started) == (5, 5)
