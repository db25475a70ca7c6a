"""Searches as a whole: what is left in MLflow, what is not done twice, and what happens when trials fail."""

import json
from collections.abc import Callable, Iterator
from csv import DictReader
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

import optuna
import pytest
from conftest import point_to
from in_this_process import Hearer, InThisProcess
from mlflow.artifacts import load_text

from experiments import tracking
from experiments.errors import DigitsError, UsageError
from experiments.models import MODELS, Recipe
from experiments.tracking import Store, open_store
from experiments.training import Checkpoint, DivergedError, Epoch, Fit
from experiments.tuning import SearchFailedError
from experiments.tuning.storage import open_storage
from experiments.workflows import trials as trials_module
from experiments.workflows.tune import MOST_DEATHS, TuneOptions, TuneResult, tune
from experiments.workflows.workers import Ended, InProcess, Place, Workers

SETTINGS = {"epochs": 4, "batch_size": 32, "precision": "float32"}
OPTIONS = TuneOptions("mlp_small", "uci", settings=SETTINGS, trials=5, place=Place(2))
WORST = {"units_1": 32, "dropout": 0.5, "learning_rate": 1e-4}
SPACE = set(MODELS["mlp_small"].space)


def trial_runs(store: Store, parent: str) -> list[Any]:
    """Return the runs of the trials, in the order of the trials."""
    found = store.client.search_runs([store.experiment_id], f"tags.mlflow.parentRunId = '{parent}'")
    return sorted(found, key=lambda run: (int(run.data.tags["digits.trial"]), run.info.start_time))


def statuses(store: Store, parent: str) -> list[str]:
    return [run.info.status for run in trial_runs(store, parent)]


def status(store: Store, run_id: str) -> Any:
    return store.client.get_run(run_id).info.status


def all_runs(store: Store) -> dict[str, str]:
    return {run.info.run_id: run.info.status for run in store.client.search_runs([store.experiment_id])}


def text(store: Store, run_id: str, file: str) -> str:
    return str(load_text(f"{store.client.get_run(run_id).info.artifact_uri}/{file}"))


def curve(store: Store, run_id: str, metric: str = "val_accuracy") -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in store.client.get_metric_history(run_id, metric)]


@dataclass(frozen=True)
class Searched:
    """A study after five trials, after the same command, and after two trials more, one of them a bad one."""

    store: Store
    first: TuneResult
    again: TuneResult
    more: TuneResult
    said: list[str]
    runs: tuple[dict[str, str], dict[str, str], dict[str, str]]


@pytest.fixture(scope="module")
def searched(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searched]:
    folder = tmp_path_factory.mktemp("searched")
    (folder / "mlflow.db").write_bytes(empty_database.read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        point_to(folder, patch)
        store, hearer = open_store(), Hearer()
        with patch.context() as without_figures:
            without_figures.setattr("experiments.reporting.search_figures", lambda *_: {})
            first = tune(store, OPTIONS, hearer)
        runs = [all_runs(store)]
        again = tune(store, OPTIONS, hearer)
        runs.append(all_runs(store))
        (journal,) = folder.rglob("study.journal")
        optuna.load_study(study_name="uci-mlp_small", storage=open_storage(str(journal))).enqueue_trial(WORST)
        more = tune(store, replace(OPTIONS, trials=7, place=Place(1)), hearer)
        runs.append(all_runs(store))
        yield Searched(store, first, again, more, hearer.said, (runs[0], runs[1], runs[2]))


@pytest.mark.slow
def test_a_search_ends_with_the_trials_asked_for(searched: Searched) -> None:
    assert (searched.first.trials, searched.first.failed, searched.first.repeated) == (5, 0, 0)
    assert set(searched.runs[0].values()) <= {"FINISHED", "KILLED"}
    assert len(searched.runs[0]) == 6
    assert searched.first.best_params.keys() == SPACE
    ended = [line for line in searched.said if line.startswith("trial ")]
    assert sorted(int(line.split()[1].strip(":")) for line in ended) == list(range(7))


@pytest.mark.slow
def test_the_same_search_again_does_nothing(searched: Searched) -> None:
    assert searched.again == searched.first
    assert searched.runs[1] == searched.runs[0]
    assert "study uci-mlp_small has its 5 trials already" in searched.said


@pytest.mark.slow
def test_more_trials_go_on_in_the_same_study(searched: Searched) -> None:
    assert searched.more.run_id == searched.first.run_id
    assert searched.more.trials == 7
    assert len(searched.runs[2]) == 8
    assert searched.runs[0].items() <= searched.runs[2].items()
    assert searched.more.best_value >= searched.first.best_value


@pytest.mark.slow
def test_the_run_of_a_search_has_its_result(searched: Searched) -> None:
    store, result = searched.store, searched.more
    run = store.client.get_run(result.run_id)
    assert run.info.status == "FINISHED"
    assert {
        "digits.kind": "tune",
        "digits.model": "mlp_small",
        "digits.dataset": "uci",
        "digits.study": "uci-mlp_small",
        "digits.engine": "optuna",
        "digits.best_run_id": result.best_run_id,
        "digits.trials": "7",
    }.items() <= run.data.tags.items()
    assert json.loads(run.data.tags["digits.best_params"]) == result.best_params
    assert json.loads(run.data.tags["digits.settings"]) == SETTINGS
    assert run.data.metrics["best_value"] == result.best_value
    counts = {name: run.data.metrics[name] for name in ("trials", "trials_pruned", "trials_failed")}
    assert counts == {"trials": 7, "trials_pruned": result.pruned, "trials_failed": 0}
    assert run.data.params["setting_epochs"] == "4"
    assert [given.dataset.name for given in run.inputs.dataset_inputs] == ["uci"]
    files = {file.path for file in store.client.list_artifacts(result.run_id)}
    assert {"trials.csv", "search.html", "figures"} <= files
    figures = [Path(file.path) for file in store.client.list_artifacts(result.run_id, "figures")]
    assert len(figures) == 5
    assert {figure.suffix for figure in figures} == {".png"}
    assert "uci-mlp_small: 7 trials" in text(store, result.run_id, "search.html")


@pytest.mark.slow
def test_the_table_of_a_search_has_all_trials(searched: Searched) -> None:
    rows = list(DictReader(StringIO(text(searched.store, searched.more.run_id, "trials.csv"))))
    runs = trial_runs(searched.store, searched.more.run_id)
    assert [int(row["trial"]) for row in rows] == list(range(7))
    assert [row["run_id"] for row in rows] == [run.info.run_id for run in runs]
    assert [row["state"] for row in rows] == [run.data.tags["optuna.state"].lower() for run in runs]
    values = [float(row["value"]) for row in rows if row["state"] == "complete"]
    assert max(values) == pytest.approx(searched.more.best_value)
    for row, run in zip(rows, runs, strict=True):
        assert {name: float(row[name]) for name in SPACE} == {name: float(run.data.params[name]) for name in SPACE}


@pytest.mark.slow
def test_the_run_of_each_trial_tells_what_it_was(searched: Searched) -> None:
    store, result = searched.store, searched.more
    runs = trial_runs(store, result.run_id)
    assert len(runs) == 7
    for number, run in enumerate(runs):
        assert run.info.run_name == f"trial-{number:03d}"
        assert run.data.tags["digits.kind"] == "trial"
        assert run.data.tags["digits.trial"] == str(number)
        assert run.data.params.keys() == SPACE | {"model", "dataset"}
        assert run.data.metrics["trial_seconds"] > 0
        assert run.data.metrics["rss_mb"] > 0
        epochs = [step for step, _ in curve(store, run.info.run_id)]
        assert epochs == list(range(1, len(epochs) + 1))
        for metric in ("loss", "accuracy", "val_loss", "learning_rate", "seconds"):
            assert [step for step, _ in curve(store, run.info.run_id, metric)] == epochs
        note = run.data.tags["mlflow.note.content"]
        assert all(f"`{name}` " in note for name in SPACE)
        if run.data.tags["optuna.state"] == "COMPLETE":
            assert run.info.status == "FINISHED"
            assert f"Reached {run.data.metrics['best_val_accuracy']:.4f}." in note
            assert len(epochs) == 4
            _, best = min(curve(store, run.info.run_id, "val_loss"), key=lambda point: point[1])
            assert run.data.metrics["best_val_loss"] == pytest.approx(best)
        else:
            assert run.data.tags["optuna.state"] == "PRUNED"
            assert run.info.status == "KILLED"
            assert run.data.tags["digits.pruned_at_epoch"] == str(epochs[-1])
            assert len(epochs) < 4
            assert f"Stopped early, which is no failure: it promised little after epoch {epochs[-1]}." in note
    best_run = store.client.get_run(result.best_run_id)
    assert best_run.data.metrics["best_val_accuracy"] == result.best_value
    assert {name: float(best_run.data.params[name]) for name in SPACE} == result.best_params
    assert {name: float(runs[0].data.params[name]) for name in SPACE} == {
        name: float(MODELS["mlp_small"].recipe.params()[name]) for name in SPACE
    }


@pytest.mark.slow
def test_a_trial_that_promises_little_is_pruned(searched: Searched) -> None:
    runs = trial_runs(searched.store, searched.more.run_id)
    (worst,) = (run for run in runs if {name: float(run.data.params[name]) for name in SPACE} == WORST)
    assert (worst.info.status, worst.data.tags["optuna.state"]) == ("KILLED", "PRUNED")
    assert searched.more.pruned == sum(run.info.status == "KILLED" for run in runs)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"settings": SETTINGS | {"epochs": 5}}, "its setting epochs was 4, now it is 5"),
        ({"settings": SETTINGS | {"seed": 1}}, "its setting seed was 0, now it is 1"),
        ({"settings": SETTINGS | {"dropout": 0.1}}, "its range of dropout was "),
        ({"limit": 100}, "its limit was none, now it is 100"),
        ({"sampler": "random"}, "its sampler was tpe, now it is random"),
        ({"pruner": "none"}, "its pruner was median, now it is none"),
        ({"model": "mlp", "study": "uci-mlp_small"}, "its model was mlp_small, now it is mlp"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_another_search_of_the_same_name_is_refused(
    searched: Searched, changes: dict[str, Any], difference: str
) -> None:
    with pytest.raises(UsageError, match="study 'uci-mlp_small' exists and is another search: ") as caught:
        tune(searched.store, replace(OPTIONS, **changes))
    assert difference in str(caught.value)
    assert str(caught.value).endswith("take the same, or a new name with --study NAME")
    assert all_runs(searched.store) == searched.runs[2]


# In what follows no network is trained: the workflow hears what a training would have said.


class Script:
    """What trainings do, by the order in which they are begun; those without an entry end well."""

    def __init__(self) -> None:
        self.begun: list[Recipe] = []
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
    monkeypatch.setattr("experiments.reporting.search_figures", lambda *_: {})  # those of a real search are looked at
    return made


HERE = TuneOptions("mlp_small", "uci", settings=SETTINGS, trials=4, pruner="none", place=InThisProcess())


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
    said = "3 trials failed one after the other, the last with MemoryError: all is full; "
    assert str(caught.value) == said + "mend that and give the same command again"
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
    assert script.begun[1] == script.begun[-1]
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
    monkeypatch.setattr("experiments.reporting.search_figures", lambda *_: {})
    fixed = {"epochs": 1, "learning_rate": 1e-3, "dropout": 0.1, "augmentation": 0.0, "precision": "float32"}
    options = TuneOptions("lenet", "uci", settings=fixed, limit=200, trials=9, sampler="grid", place=InThisProcess())
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


class Dying(InProcess):
    """A worker that dies when its work is done, or before it has begun."""

    def __init__(self, first: bool) -> None:
        super().__init__()
        self.first, self.started = first, 0

    def start(self, name: str, work: Callable[..., Any], *arguments: Any) -> None:
        self.started += 1
        if self.first:
            self._ended.append(Ended(name, died="ended by signal 9 (out of memory?)"))
        else:
            (task,) = arguments
            engine = task.engine
            claims = iter([True])
            task_once = replace(task, engine=OneClaim(engine, claims))
            work(task_once)
            self._ended.append(Ended(name, died="ended by signal 9 (out of memory?)"))


class OneClaim:
    """An engine that hands out one trial."""

    def __init__(self, engine: Any, claims: Iterator[bool]) -> None:
        self._engine, self._claims = engine, claims

    def claim(self, process: str) -> Any:
        return self._engine.claim(process) if next(self._claims, False) else None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


class DyingPlace(Place):
    """Where workers die."""

    def __init__(self, workers: Dying) -> None:
        super().__init__()
        object.__setattr__(self, "dying", workers)

    def open(self) -> Workers:
        return self.__dict__["dying"]  # type: ignore[no-any-return]


def test_workers_that_die_one_after_the_other_end_the_search(store: Store) -> None:
    dying, hearer = Dying(first=True), Hearer()
    with pytest.raises(SearchFailedError, match=f"{MOST_DEATHS} workers died one after the other"):
        tune(store, replace(HERE, place=DyingPlace(dying)), hearer)
    assert dying.started == MOST_DEATHS
    assert "worker-0 ended by signal 9 (out of memory?)" in hearer.said
    assert set(all_runs(store).values()) == {"FAILED"}


@pytest.mark.usefixtures("script")
def test_workers_that_die_after_a_trial_each_do_not_end_the_search(store: Store) -> None:
    dying = Dying(first=False)
    result = tune(store, replace(HERE, trials=5, place=DyingPlace(dying)))
    assert (result.trials, dying.started) == (5, 5)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"trials": 0}, "trials must be at least 1, received 0"),
        ({"limit": 0}, "limit must be at least 1, received 0"),
        ({"study": " "}, "the name of a study must not be empty"),
        ({"engine": "keras-tuner", "storage": "sqlite:///x.db"}, "--storage goes with --engine optuna"),
        ({"engine": "keras-tuner", "place": Place(1, "auto")}, "--cluster goes with --engine optuna"),
        ({"settings": {"colour": "red"}}, "there is no setting 'colour'"),
        ({"settings": dict.fromkeys(SPACE, 0)}, "learning_rate must be above 0"),
        ({"settings": WORST}, "every setting that mlp_small is searched over is fixed"),
    ],
)
def test_options_that_make_no_sense_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        replace(OPTIONS, **given)
    assert message in str(caught.value)
