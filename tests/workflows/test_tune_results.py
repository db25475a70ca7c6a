"""Searches as a whole: what is left in MLflow, and what is not done twice."""

import json
from collections.abc import Iterator
from csv import DictReader
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

import optuna
import pytest
from conftest import point_to
from in_process import ProgressLog
from search_runs import SETTINGS, all_runs, text, trial_runs

from experiments.errors import UsageError
from experiments.execution.executors import ExecutorConfig
from experiments.models import MODELS
from experiments.tracking import Store, open_store
from experiments.tuning.storage import open_storage
from experiments.workflows.tune.run import TuneOptions, TuneResult, tune

OPTIONS = TuneOptions("mlp_small", "uci", settings=SETTINGS, trials=5, executor=ExecutorConfig(2))
WORST = {"units_1": 32, "dropout": 0.5, "learning_rate": 1e-4}
SPACE = set(MODELS["mlp_small"].space)


def curve(store: Store, run_id: str, metric: str = "val_accuracy") -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in store.client.get_metric_history(run_id, metric)]


@dataclass(frozen=True)
class Searched:
    """A study after five trials, after the same command, and after two trials more, one of them a bad one."""

    store: Store
    first: TuneResult
    again: TuneResult
    more: TuneResult
    lines: list[str]
    runs: tuple[dict[str, str], dict[str, str], dict[str, str]]


@pytest.fixture(scope="module")
def searched(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searched]:
    folder = tmp_path_factory.mktemp("searched")
    (folder / "mlflow.db").write_bytes(empty_database.read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        point_to(folder, patch)
        store, log = open_store(), ProgressLog()
        with patch.context() as without_figures:
            without_figures.setattr("experiments.reporting.search_drawings", lambda *_: {})
            first = tune(store, OPTIONS, log)
        runs = [all_runs(store)]
        again = tune(store, OPTIONS, log)
        runs.append(all_runs(store))
        (journal,) = folder.rglob("study.journal")
        optuna.load_study(study_name="uci-mlp_small", storage=open_storage(str(journal))).enqueue_trial(WORST)
        more = tune(store, replace(OPTIONS, trials=7, executor=ExecutorConfig(1)), log)
        runs.append(all_runs(store))
        yield Searched(store, first, again, more, log.lines, (runs[0], runs[1], runs[2]))


@pytest.mark.slow
def test_a_search_ends_with_the_trials_asked_for(searched: Searched) -> None:
    assert (searched.first.trials, searched.first.failed, searched.first.repeated) == (5, 0, 0)
    assert set(searched.runs[0].values()) <= {"FINISHED", "KILLED"}
    assert len(searched.runs[0]) == 6
    assert searched.first.best_params.keys() == SPACE
    ended = [line for line in searched.lines if line.startswith("trial ")]
    assert sorted(int(line.split()[1].strip(":")) for line in ended) == list(range(7))


@pytest.mark.slow
def test_the_same_search_again_does_nothing(searched: Searched) -> None:
    assert searched.again == searched.first
    assert searched.runs[1] == searched.runs[0]
    assert "study uci-mlp_small already has 5 trials" in searched.lines


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
            assert f"Pruned, which is not a failure: it fell behind other trials after epoch {epochs[-1]}." in note
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
    assert str(caught.value).endswith("use the same value, or a new name with --study NAME")
    assert all_runs(searched.store) == searched.runs[2]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"trials": 0}, "trials must be at least 1, received 0"),
        ({"limit": 0}, "limit must be at least 1, received 0"),
        ({"study": " "}, "the name of a study must not be empty"),
        ({"engine": "keras-tuner", "storage": "sqlite:///x.db"}, "--storage goes with --engine optuna"),
        ({"engine": "keras-tuner", "executor": ExecutorConfig(1, "auto")}, "--cluster goes with --engine optuna"),
        ({"settings": {"colour": "red"}}, "there is no setting 'colour'"),
        ({"settings": dict.fromkeys(SPACE, 0)}, "learning_rate must be above 0"),
        ({"settings": WORST}, "every setting that mlp_small is searched over is fixed"),
    ],
)
def test_options_that_make_no_sense_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        replace(OPTIONS, **given)
    assert message in str(caught.value)
