"""A tracking store with the runs of a small suite as the commands record them, without training anything."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import numpy as np

from experiments.datasets import Split
from experiments.evaluation import measure
from experiments.evaluation.effects import Effect, Topic, to_json
from experiments.reporting.drawing import Drawing
from experiments.reporting.explorer import ExplorerData
from experiments.reporting.figures.feature_map import feature_map
from experiments.reporting.figures.training_curves import training_curves
from experiments.reporting.page import captions
from experiments.reporting.recorded.evaluation import evaluation_drawings
from experiments.results import VAL_ACCURACY, Result, to_table
from experiments.tracking import Run, Store, open_run
from experiments.tracking.tags import ADAPTED_FROM

ACCURACIES = {"cnn": 0.98, "lenet": 0.95}
LABELS = np.arange(60) % 10
TESTED: dict[str, Any] = {"target": "uci", "split": "test"}
HOSTILE = "<script>alert(1)</script>"


def fill(store: Store) -> dict[str, str]:
    """Add two networks on ``uci`` with runs of every kind; return the ids of the trainings by name."""
    trainings = {name: train(store, name, accuracy) for name, accuracy in ACCURACIES.items()}
    for name, accuracy in ACCURACIES.items():
        evaluate(store, name, accuracy, trainings[name])
        transfer(store, name, "uci-c", accuracy - 0.3, trainings[name], [Result("mean_corruption_error", 1.1)])
    compare(store)
    transfer(store, "cnn", "usps", 0.7, trainings["cnn"], by_method({"align": 0.75, "shot": 0.8}))
    analyze(store, "lenet", trainings["lenet"])
    search(store)
    return trainings


def train(store: Store, name: str, accuracy: float, study_run: str | None = None) -> str:
    tuned = {"digits.study_run": study_run} if study_run else {}
    with open_run(store, "train", name, tags={**tags(name), **tuned}) as run:
        run.log_params({"model": name, "dataset": "uci", "seed": 0})
        for epoch in (1, 2, 3):
            run.log_metrics({"val_accuracy": accuracy - 0.1 / epoch}, step=epoch)
        numbers = {"train_seconds": 12.5, "parameters": 1210, "size_bytes": 2_345_678, "best_val_accuracy": accuracy}
        run.log_results(to_table(Result(metric, value, name, seed=0) for metric, value in numbers.items()))
        run.log_data(curves().to_npz(), "training_curves")
    register(store, run.id, name, accuracy)
    return run.id


def register(store: Store, run_id: str, name: str, accuracy: float, adapted_from: str | None = None) -> None:
    client, model = store.client, f"uci-{name}"
    if not client.search_registered_models(f"name = '{model}'"):
        client.create_registered_model(model, tags={"digits.dataset": "uci", "digits.model": name})
    logged = client.create_logged_model(store.experiment_id, name=model, source_run_id=run_id)
    version_tags = {VAL_ACCURACY: repr(accuracy), **({ADAPTED_FROM: adapted_from} if adapted_from else {})}
    client.create_model_version(
        model, f"models:/{logged.model_id}", run_id, tags=version_tags, model_id=logged.model_id
    )


def evaluate(store: Store, name: str, accuracy: float, parent: str) -> str:
    with open_run(store, "evaluate", f"{name} on uci", parent=parent, tags=tags(name)) as run:
        run.log_results(
            to_table(
                [
                    Result("accuracy", accuracy, name, low=accuracy - 0.02, high=accuracy + 0.01, **TESTED),
                    *(
                        Result(metric, value, name, **TESTED)
                        for metric, value in {"macro_f1": accuracy, "ece": 0.01, "latency_ms": 3.25}.items()
                    ),
                ]
            )
        )
        for figure, drawing in mistakes().items():
            run.log_data(drawing.to_npz(), figure)
    return run.id


def compare(store: Store) -> None:
    with open_run(store, "evaluate", "comparison", tags=tags(", ".join(ACCURACIES))) as run:
        versions = ", ".join(f"uci-{name} v1" for name in ACCURACIES)
        run.log_params({"models": ", ".join(ACCURACIES), "versions": versions})
        shown = [Result("accuracy", accuracy, name, **TESTED) for name, accuracy in ACCURACIES.items()]
        run.log_results(to_table([*shown, Result("misclassified_by_all", 3, **TESTED)]))
        run.log_data(curves().to_npz(), "comparison")
        run.log_data(mistakes()["misclassified"].to_npz(), "missed_by_all")


def by_method(accuracies: Mapping[str, float]) -> list[Result]:
    return [Result("accuracy", accuracy, method=method) for method, accuracy in accuracies.items()]


def transfer(store: Store, name: str, target: str, accuracy: float, parent: str, more: Iterable[Result]) -> None:
    about = {**tags(name), "digits.target": target}
    with open_run(store, "transfer", f"transfer {name} on {target}", parent=parent, tags=about) as run:
        run.log_params({"model": name, "source": "uci", "target": target, "seed": 0})
        rows = [
            Result("accuracy", accuracy, method="none", low=accuracy - 0.02, high=accuracy + 0.02),
            Result("source_accuracy", 0.9, method="none"),
            *more,
        ]
        run.log_results(to_table(replace(row, model=name, source="uci", target=target) for row in rows))
        discuss(run, "alignment", f"{name} {HOSTILE}")
        for figure in ("few_shot", "alignment", "shift"):
            run.log_data(curves().to_npz(), figure)


def compare_transfers(store: Store, versions: str, target: str) -> str:
    about = {**tags(versions), "digits.target": target}
    with open_run(store, "transfer", f"transfer {versions} to {target}", tags=about) as run:
        run.log_params({"models": versions, "targets": target})
        run.log_results(to_table([Result("accuracy", 0.5, versions, target=target)]))
        discuss(run, "alignment", f"{versions} are compared")
    return run.id


def analyze(store: Store, name: str, parent: str, digits: int = 1797) -> str:
    with open_run(store, "analyze", f"analyze {name}", parent=parent, tags=tags(name)) as run:
        run.log_params({"digits": digits, "components": 3})
        rows = [
            Result("knn_accuracy", 0.97),
            Result("trustworthiness", 0.99),
            Result("ari", 0.8, split="both", method="kmeans", group="10"),
            Result("confusing", 12, split="train"),
            Result("confusing", 3, split="test"),
        ]
        run.log_results(to_table(rows))
        discuss(run, "embedding", f"near is near {HOSTILE}")
        run.log_data(explorer().to_npz(), "explorer")
        run.log_data(Drawing.of(feature_map, np.zeros((60, 3), np.float32), LABELS, "digits", "a map").to_npz(), "map")
        for figure in {**captions.MAPS, **captions.MORE_MAPS, **captions.CONFUSING, **captions.MORE_CONFUSING}:
            if figure != "map":
                run.log_data(curves().to_npz(), figure)
    return run.id


def search(store: Store) -> None:
    about = {**tags("mlp"), "digits.study": f"s{HOSTILE}", "digits.best_params": '{"rate": 0.00123456, "units": 32}'}
    with open_run(store, "tune", "tune", tags=about) as run:
        numbers = {"best_value": 0.99, "trials": 8, "trials_pruned": 3, "trials_failed": 0}
        run.log_results(to_table(Result(metric, value, "mlp") for metric, value in numbers.items()))
        run.log_data(curves().to_npz(), "history")


def discuss(run: Run, topic: str, what: str) -> None:
    run.log_json(to_json([Topic(topic, {}, (Effect(what, "accuracy", 0.5),))]), "discussion.json")


def explorer() -> ExplorerData:
    zeros = np.zeros(60, np.int64)
    return ExplorerData(
        title="a map", positions=np.eye(60, 3, dtype=np.float32), images=np.zeros((60, 28, 28), np.uint8),
        labels=LABELS, predicted=LABELS, probability=np.ones(60, np.float32), split=zeros, index=np.arange(60),
        groupings={}, confusion=np.zeros(60, np.float32), topics=[], facts={},
    )  # fmt: skip


def tags(name: str) -> dict[str, str]:
    return {"digits.model": name, "digits.dataset": "uci"}


def curves() -> Drawing:
    """Return a figure that takes little time to draw."""
    series = ("loss", "val_loss", "accuracy", "val_accuracy", "learning_rate", "seconds")
    return Drawing.of(training_curves, {name: [1.0, 0.5] for name in series}, "a training")


def mistakes() -> dict[str, Drawing]:
    """Return the figures that an evaluation records, of random predictions."""
    probabilities = np.random.default_rng(0).dirichlet(np.ones(10), size=60).astype(np.float32)
    test = Split(np.zeros((60, 28, 28), np.uint8), LABELS)
    return evaluation_drawings(test, probabilities, measure(LABELS, probabilities).confusion, "a network")


def results(folder: Path) -> Any:
    """Read the results.json of a report."""
    return json.loads((folder / "results.json").read_text())


def cells(folder: Path, table: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the cells of a table of a report by row and column."""
    (found,) = (one for one in results(folder)["tables"] if one["name"] == table)
    return {(cell["network"], cell["column"]): cell for cell in found["cells"]}


def artifacts(store: Store, run_id: str) -> Path:
    """Return the folder of a run's artifacts."""
    return Path(unquote(urlparse(store.client.get_run(run_id).info.artifact_uri).path))


def files(folder: Path) -> set[str]:
    """Return the paths of all files in a folder, relative to it."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
