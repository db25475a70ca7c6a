"""What a search leaves in MLflow, and what is not done twice."""

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
from fake_fit import FakeFit
from run_files import text
from search_runs import HERE, SETTINGS, all_runs, parent_run, trial_runs, use_fake_fit
from stand_ins import ProgressLog

from experiments.errors import UsageError
from experiments.models import MODELS
from experiments.tracking import Store, open_store
from experiments.tuning.storage import open_storage
from experiments.workflows.tune.run import TuneResult, tune

OPTIONS = replace(HERE, trials=5, pruner="median")
WORST = {"units_1": 32, "dropout": 0.0, "learning_rate": 1e-4}  # to `FakeFit`
SPACE = set(MODELS["mlp_small"].space)


def curve(store: Store, run_id: str, metric: str = "val_accuracy") -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in store.client.get_metric_history(run_id, metric)]


def values(params: dict[str, str]) -> dict[str, float]:
    return {name: float(params[name]) for name in SPACE}


@dataclass(frozen=True)
class Searched:
    """A study after five trials, after the same command, and after two trials more, one of them a bad one."""

    store: Store
    results: list[TuneResult]
    runs: list[dict[str, str]]
    log: ProgressLog
    fit: FakeFit

    @property
    def trials(self) -> list[Any]:
        """Runs of the trials."""
        return trial_runs(self.store, self.results[-1].run_id)


@pytest.fixture(scope="module")
def searched(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searched]:
    folder = tmp_path_factory.mktemp("searched")
    (folder / "mlflow.db").write_bytes(empty_database.read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        point_to(folder, patch)
        made = Searched(open_store(), [], [], ProgressLog(), use_fake_fit(patch))
        for options in (OPTIONS, OPTIONS, replace(OPTIONS, trials=7)):
            if options.trials == 7:
                (journal,) = folder.rglob("study.journal")
                study = optuna.load_study(study_name="uci-mlp_small", storage=open_storage(str(journal)))
                study.enqueue_trial(WORST)
            made.results.append(tune(made.store, options, made.log))
            made.runs.append(all_runs(made.store))
        yield made


def test_a_search_ends_with_the_requested_trials_and_the_same_command_does_nothing(searched: Searched) -> None:
    first, again, _ = searched.results
    assert (first.trials, first.failed, first.repeated) == (5, 0, 0)
    assert first.best_params.keys() == SPACE
    assert len(searched.runs[0]) == 6
    assert set(searched.runs[0].values()) <= {"FINISHED", "KILLED"}
    assert (again, searched.runs[1]) == (first, searched.runs[0])
    assert any("uci-mlp_small already has 5 trials" in line for line in searched.log.lines)


def test_more_trials_continue_the_same_study(searched: Searched) -> None:
    first, _, more = searched.results
    assert (more.run_id, more.trials, len(searched.fit.recipes)) == (first.run_id, 7, 7)
    assert searched.runs[0].items() <= searched.runs[2].items()
    assert len(searched.runs[2]) == 8
    assert more.best_value >= first.best_value
    ended = [line for line in searched.log.lines if line.startswith("trial ")]
    assert sorted(int(line.split()[1].strip(":")) for line in ended) == list(range(7))


def test_the_run_of_a_search_has_its_plan_and_its_result(searched: Searched) -> None:
    store, result = searched.store, searched.results[-1]
    run = parent_run(store)
    assert (run.info.run_id, run.info.status) == (result.run_id, "FINISHED")
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
    numbers = {"best_value": result.best_value, "trials": 7, "trials_pruned": result.pruned, "trials_failed": 0}
    assert numbers.items() <= run.data.metrics.items()
    assert run.data.params["setting_epochs"] == "4"
    assert [given.dataset.name for given in run.inputs.dataset_inputs] == ["uci"]
    assert "uci-mlp_small: 7 trials" in text(store, result.run_id, "search.html")


def test_the_table_of_a_search_has_all_trials(searched: Searched) -> None:
    result = searched.results[-1]
    rows = list(DictReader(StringIO(text(searched.store, result.run_id, "trials.csv"))))
    assert [int(row["trial"]) for row in rows] == list(range(7))
    assert [row["run_id"] for row in rows] == [run.info.run_id for run in searched.trials]
    assert [row["state"] for row in rows] == [run.data.tags["optuna.state"].lower() for run in searched.trials]
    assert [values(row) for row in rows] == [values(run.data.params) for run in searched.trials]
    complete = [float(row["value"]) for row in rows if row["state"] == "complete"]
    assert max(complete) == pytest.approx(result.best_value)


def test_the_run_of_each_trial_has_its_settings_and_its_course(searched: Searched) -> None:
    store, result = searched.store, searched.results[-1]
    for number, run in enumerate(searched.trials):
        recipe, tags, run_id = searched.fit.recipes[number], run.data.tags, run.info.run_id
        assert run.info.run_name == f"trial-{number:03d}"
        assert (tags["digits.kind"], tags["digits.trial"]) == ("trial", str(number))
        assert run.data.params.keys() == SPACE | {"model", "dataset"}
        assert values(run.data.params).items() <= recipe.params().items()
        assert (recipe.epochs, recipe.batch_size) == (4, 32)
        assert run.data.metrics["trial_seconds"] > 0
        assert run.data.metrics["rss_mb"] > 0
        assert all(f"`{name}` " in tags["mlflow.note.content"] for name in SPACE)
        complete = tags["optuna.state"] == "COMPLETE"
        epochs = 4 if complete else int(tags["digits.pruned_at_epoch"])
        assert complete or epochs < 4
        assert curve(store, run_id) == [(epoch, 0.5 + 0.4 * recipe.dropout) for epoch in range(1, epochs + 1)]
        for metric in ("loss", "accuracy", "val_loss", "learning_rate", "seconds"):
            assert [step for step, _ in curve(store, run_id, metric)] == list(range(1, epochs + 1))
        assert run.info.status == ("FINISHED" if complete else "KILLED")
        if complete:
            assert run.data.metrics["best_val_accuracy"] == pytest.approx(0.5 + 0.4 * recipe.dropout)
            assert run.data.metrics["best_val_loss"] == 0.25
            assert f"{run.data.metrics['best_val_accuracy']:.4f}" in tags["mlflow.note.content"]
    assert values(searched.trials[0].data.params).items() <= MODELS["mlp_small"].recipe.params().items()
    best = store.client.get_run(result.best_run_id)
    assert best.data.metrics["best_val_accuracy"] == result.best_value
    assert values(best.data.params) == result.best_params
    pruned = [values(run.data.params) for run in searched.trials if run.info.status == "KILLED"]
    assert (len(pruned), pruned.count(WORST)) == (result.pruned, 1)


def test_another_search_of_the_same_name_is_refused(searched: Searched) -> None:
    others: dict[str, dict[str, Any]] = {
        "epochs was 4, now it is 5": {"settings": SETTINGS | {"epochs": 5}},
        "range of dropout was ": {"settings": SETTINGS | {"dropout": 0.1}},
        "limit was none, now it is 100": {"limit": 100},
        "model was mlp_small, now it is mlp": {"model": "mlp", "study": "uci-mlp_small"},
    }
    for difference, changes in others.items():
        with pytest.raises(UsageError, match=f"'uci-mlp_small' .*{difference}.*--study NAME"):
            tune(searched.store, replace(OPTIONS, **changes))
    assert all_runs(searched.store) == searched.runs[-1]
