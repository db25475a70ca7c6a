"""A tracking store with the runs of a small suite as the commands record them, without training anything."""

import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import point_to

from experiments.datasets import Split
from experiments.evaluation import measure
from experiments.evaluation.effects import Effect, Topic, to_json
from experiments.execution.progress import Progress
from experiments.reporting.drawing import Drawing
from experiments.reporting.explorer import ExplorerData
from experiments.reporting.figures.feature_map import feature_map
from experiments.reporting.figures.training_curves import training_curves
from experiments.reporting.page import captions
from experiments.reporting.recorded.evaluation import evaluation_drawings
from experiments.results import VAL_ACCURACY, Result, to_table
from experiments.tracking import Store, open_run, open_store
from experiments.tracking.runs import Kind
from experiments.tracking.tags import ADAPTED_FROM
from experiments.workflows.report.run import ReportResult, report

ACCURACIES = {"cnn": 0.98, "lenet": 0.95}
LABELS = np.arange(60) % 10
TESTED: dict[str, Any] = {"target": "uci", "split": "test"}
HOSTILE = "<script>alert(1)</script>"
# Takes little time to draw.
CURVES = Drawing.of(
    training_curves,
    {name: [1.0, 0.5] for name in ("loss", "val_loss", "accuracy", "val_accuracy", "learning_rate", "seconds")},
    "a training",
)
MAP = Drawing.of(feature_map, np.zeros((60, 3), np.float32), LABELS, "digits", "a map")


def fill(store: Store) -> dict[str, str]:
    """Add two networks on ``uci`` with runs of every kind; return the ids of the trainings by name."""
    trainings = {name: train(store, name, accuracy) for name, accuracy in ACCURACIES.items()}
    for name, accuracy in ACCURACIES.items():
        evaluate(store, name, accuracy, trainings[name])
        transfer(store, name, "uci-c", accuracy - 0.3, trainings[name], [Result("mean_corruption_error", 1.1)])
    both = ", ".join(ACCURACIES)
    record(
        store, "evaluate", both,
        [*(accuracy_of(value, one) for one, value in ACCURACIES.items()), Result("misclassified_by_all", 3, **TESTED)],
        params={"models": both, "versions": "uci-cnn v1, uci-lenet v1"},
        figures={"comparison": CURVES, "missed_by_all": CURVES},
    )  # fmt: skip
    adapted = [Result("accuracy", value, method=method) for method, value in {"align": 0.75, "shot": 0.8}.items()]
    transfer(store, "cnn", "usps", 0.7, trainings["cnn"], adapted)
    analyze(store, "lenet", trainings["lenet"])
    numbers = {"best_value": 0.99, "trials": 8, "trials_pruned": 3, "trials_failed": 0}
    best = {"digits.study": f"s{HOSTILE}", "digits.best_params": '{"rate": 0.00123456, "units": 32}'}
    record(
        store, "tune", "mlp", [Result(*number) for number in numbers.items()], tags=best, figures={"history": CURVES}
    )
    return trainings


def record(
    store: Store,
    kind: Kind,
    model: str,
    rows: Iterable[Result] = (),
    *,
    parent: str | None = None,
    params: Mapping[str, object] | None = None,
    tags: Mapping[str, str] | None = None,
    figures: Mapping[str, Drawing | ExplorerData] | None = None,
    discussed: tuple[str, str] | None = None,
) -> str:
    """Add a run on ``uci`` named after its model with its results, figures, and the topic and effect it discusses."""
    about = {"digits.model": model, "digits.dataset": "uci", **(tags or {})}
    with open_run(store, kind, f"{kind} {model}", parent=parent, tags=about) as run:
        run.log_params(dict(params or {}))
        run.log_results(to_table(row if row.model else replace(row, model=model) for row in rows))
        for name, drawing in (figures or {}).items():
            run.log_data(drawing.to_npz(), name)
        if discussed:
            run.log_json(
                to_json([Topic(discussed[0], {}, (Effect(discussed[1], "accuracy", 0.5),))]), "discussion.json"
            )
    return run.id


def accuracy_of(accuracy: float, model: str = "") -> Result:
    return Result("accuracy", accuracy, model, low=accuracy - 0.02, high=accuracy + 0.01, **TESTED)


def train(store: Store, name: str, accuracy: float, study_run: str = "") -> str:
    numbers = {"train_seconds": 12.5, "parameters": 1210, "size_bytes": 2_345_678, "best_val_accuracy": accuracy}
    run_id = record(
        store, "train", name, [Result(*number, seed=0) for number in numbers.items()],
        params={"model": name, "dataset": "uci", "seed": 0},
        tags={"digits.study_run": study_run} if study_run else {}, figures={"training_curves": CURVES},
    )  # fmt: skip
    for epoch in (1, 2, 3):
        store.client.log_metric(run_id, "val_accuracy", accuracy - 0.1 / epoch, step=epoch)
    register(store, run_id, name, accuracy)
    return run_id


def register(store: Store, run_id: str, name: str, accuracy: float, adapted_from: str | None = None) -> None:
    client, model = store.client, f"uci-{name}"
    if not client.search_registered_models(f"name = '{model}'"):
        client.create_registered_model(model, tags={"digits.dataset": "uci", "digits.model": name})
    logged = client.create_logged_model(store.experiment_id, name=model, source_run_id=run_id)
    tags, place = {VAL_ACCURACY: repr(accuracy)}, f"models:/{logged.model_id}"
    tags |= {ADAPTED_FROM: adapted_from} if adapted_from else {}
    client.create_model_version(model, place, run_id, tags=tags, model_id=logged.model_id)


def evaluate(store: Store, name: str, accuracy: float, parent: str | None, version: str = "") -> str:
    numbers = {"macro_f1": accuracy, "ece": 0.01, "latency_ms": 3.25}
    probabilities = np.random.default_rng(0).dirichlet(np.ones(10), size=60).astype(np.float32)
    test, confusion = Split(np.zeros((60, 28, 28), np.uint8), LABELS), measure(LABELS, probabilities).confusion
    return record(
        store, "evaluate", name, [accuracy_of(accuracy), *(Result(*number, **TESTED) for number in numbers.items())],
        parent=parent, params={"model": version} if version else {},
        figures=evaluation_drawings(test, probabilities, confusion, "a network"),
    )  # fmt: skip


def transfer(
    store: Store, name: str, target: str, accuracy: float, parent: str | None, more: Iterable[Result] = ()
) -> None:
    rows = [
        Result("accuracy", accuracy, method="none", low=accuracy - 0.02, high=accuracy + 0.02),
        Result("source_accuracy", 0.9, method="none"),
        *more,
    ]
    record(
        store, "transfer", name, [replace(row, source="uci", target=target) for row in rows],
        parent=parent, params={"model": name, "source": "uci", "target": target, "seed": 0},
        tags={"digits.target": target}, discussed=("alignment", f"{name} {HOSTILE}"),
        figures=dict.fromkeys(("few_shot", "alignment", "shift"), CURVES),
    )  # fmt: skip


def analyze(store: Store, name: str, parent: str, digits: int = 1797) -> str:
    rows = [
        Result("knn_accuracy", 0.97),
        Result("trustworthiness", 0.99),
        Result("ari", 0.8, split="both", method="kmeans", group="10"),
        Result("confusing", 12, split="train"),
        Result("confusing", 3, split="test"),
    ]
    shown = {**captions.MAPS, **captions.MORE_MAPS, **captions.CONFUSING, **captions.MORE_CONFUSING}
    return record(
        store, "analyze", name, rows, parent=parent, params={"digits": digits, "components": 3},
        discussed=("embedding", f"near is near {HOSTILE}"),
        figures={**dict.fromkeys(shown, CURVES), "map": MAP, "explorer": explorer()},
    )  # fmt: skip


def explorer() -> ExplorerData:
    zeros = np.zeros(60, np.int64)
    return ExplorerData(
        title="a map", positions=np.eye(60, 3, dtype=np.float32), images=np.zeros((60, 28, 28), np.uint8),
        labels=LABELS, predicted=LABELS, probability=np.ones(60, np.float32), split=zeros, index=np.arange(60),
        groupings={}, confusion=np.zeros(60, np.float32), topics=[], facts={},
    )  # fmt: skip


@dataclass(frozen=True)
class Filled:
    """A store as `fill` leaves it, with the ids of the trainings by name, and a copy of its files."""

    store: Store
    trainings: dict[str, str]
    copy: Path

    def restore(self) -> None:
        """Undo all changes."""
        with (
            closing(sqlite3.connect(self.copy / "mlflow.db")) as before,
            closing(sqlite3.connect(self.store.root / "mlflow.db")) as database,
        ):
            before.backup(database)
        shutil.rmtree(self.store.root / "mlruns")
        shutil.copytree(self.copy / "mlruns", self.store.root / "mlruns")


@contextmanager
def filled_store(empty_database: Path, folder: Path) -> Iterator[Filled]:
    """Fill a store once for several tests, which this process uses meanwhile."""
    root = folder / "project"
    root.mkdir()
    shutil.copy(empty_database, root / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        point_to(root, patch)
        store = open_store()
        trainings = fill(store)
        shutil.copytree(root, folder / "copy")
        yield Filled(store, trainings, folder / "copy")


@dataclass(frozen=True)
class Reported:
    """A report that was written to a folder."""

    folder: Path
    written: ReportResult

    @property
    def page(self) -> str:
        return (self.folder / "index.html").read_text(encoding="utf-8")

    @property
    def results(self) -> Any:
        return json.loads((self.folder / "results.json").read_text(encoding="utf-8"))

    def cells(self, table: str = "networks-uci") -> dict[tuple[str, str], dict[str, Any]]:
        """Return the cells of a table by row and column."""
        (found,) = (one for one in self.results["tables"] if one["name"] == table)
        return {(cell["network"], cell["column"]): cell for cell in found["cells"]}


def reported(store: Store, folder: Path, progress: Progress | None = None) -> Reported:
    return Reported(folder, report(store, folder, progress))
