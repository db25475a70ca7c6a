"""Analyses from the function call to MLflow: results, artifacts, cache, errors."""

import csv
import io
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from conftest import Trained
from mlflow.artifacts import load_text

from experiments import datasets
from experiments.analysis.confusing import MEASURES
from experiments.errors import DigitsError, UsageError
from experiments.evaluation.effects import from_json
from experiments.execution.progress import Progress
from experiments.models.prediction import predict
from experiments.reporting.discussion.text import to_markdown
from experiments.results import select, value
from experiments.tracking import load_network, resolve_reference, results_table
from experiments.workflows.analyze import AnalyzeManyResult, AnalyzeOptions, AnalyzeResult, analyze, analyze_many

PIPELINE = "experiments.workflows.analyze.pipeline"
LIMIT = 700
UCI = datasets.load("uci")


class RecordedStages(Progress):
    """Record the names of the stages."""

    def __init__(self) -> None:
        self.stages: list[str] = []

    def stage(self, name: str) -> None:
        self.stages.append(name)


@pytest.fixture(scope="module")
def both(_trained: Trained) -> AnalyzeManyResult:
    """Analyze both networks on a sample."""
    return analyze_many(_trained.store, ["lenet", "mlp_small"], AnalyzeOptions(limit=LIMIT))


@pytest.fixture
def result(both: AnalyzeManyResult) -> AnalyzeResult:
    return both.models["lenet"]


def fail_if_computed(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Make functions fail without changing their code version."""

    for name in names:
        original = getattr(sys.modules[PIPELINE], name)

        @wraps(original)
        def fail(*_: object, **__: object) -> None:
            raise AssertionError("this was computed before")

        monkeypatch.setattr(f"{PIPELINE}.{name}", fail)


def artifacts(trained: Trained, run_id: str) -> Iterator[str]:
    folders = [None]
    while folders:
        for file in trained.store.client.list_artifacts(run_id, folders.pop()):
            yield file.path
            if file.is_dir:
                folders.append(file.path)


def text(trained: Trained, run_id: str, file: str) -> str:
    return str(load_text(f"{trained.store.client.get_run(run_id).info.artifact_uri}/{file}"))


def test_the_json_object_has_the_documented_keys(result: AnalyzeResult) -> None:
    value = json.loads(json.dumps(result.to_json()))
    assert value.keys() >= {"run_id", "model", "embedding", "clusters", "confusing"}
    assert value["embedding"].keys() >= {"knn_accuracy", "trustworthiness", "seconds"}
    assert value["clusters"]["kmeans"].keys() >= {"k", "ari", "purity"}
    assert value["clusters"].keys() == {"kmeans", "ward"}
    assert value["n"] == LIMIT
    assert 0.8 < value["embedding"]["knn_accuracy"] <= 1


def test_confusing_digits_are_best_first_and_point_to_the_data_set(trained: Trained, result: AnalyzeResult) -> None:
    network = load_network(trained.store, resolve_reference(trained.store, "lenet"))
    for split, images in (("train", UCI.train), ("test", UCI.test)):
        rows = [row for row in result.confusing if row["split"] == split]
        listed = round(LIMIT * len(images) / (len(UCI.train) + len(UCI.test)))
        assert len(rows) == min(200, listed)
        assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
        assert [row["score"] for row in rows] == sorted((row["score"] for row in rows), reverse=True)
        index = np.array([row["index"] for row in rows])
        assert len(set(index.tolist())) == len(index)
        assert [row["label"] for row in rows] == images.labels[index].tolist()
        predicted = predict(network, images.take(index)).argmax(axis=1)
        assert [row["predicted"] for row in rows] == predicted.tolist()


def test_errors_rank_before_correct_predictions(result: AnalyzeResult) -> None:
    rows = [row for row in result.confusing if row["split"] == "test"]
    half = len(rows) // 2
    wrong = [row["predicted"] != row["label"] for row in rows]
    assert sum(wrong[:half]) > sum(wrong[half:])


def test_results_and_artifacts_are_in_the_run(trained: Trained, result: AnalyzeResult) -> None:
    run = trained.store.client.get_run(result.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.tags["digits.kind"] == "analyze"
    assert run.data.tags["mlflow.parentRunId"] == trained.results["lenet"].run_id
    assert run.data.metrics["knn_accuracy"] == pytest.approx(result.embedding["knn_accuracy"])
    assert run.data.metrics["ari/kmeans/10/both"] == pytest.approx(result.clusters["kmeans"]["ari"])
    assert {"confusing/train", "confusing/test", "clusters_chosen", "variance_kept"} <= run.data.metrics.keys()
    assert {f"seconds/{stage}" for stage in result.seconds} <= run.data.metrics.keys()
    assert {"features", "neighbors", "map", "kmeans", "ward", "figures", "page"} <= result.seconds.keys()
    found = set(artifacts(trained, result.run_id))
    assert {"explorer.html", "discussion.md", "results.csv", "confusing_train.csv", "confusing_test.csv"} <= found
    names = ("map", "map_predicted", "map_kmeans", "map_ward", "map_confusion", "cluster_count", "dendrogram")
    more = ("centroids", "measures_test", "confusing_train", "confusing_test", "duplicates", "outliers")
    assert {f"figures/{name}.png" for name in (*names, *more)} <= found
    assert {f"data/{name}.npz" for name in (*names, *more, "explorer")} <= found
    assert text(trained, result.run_id, "discussion.md") == result.discussion
    topics = from_json(json.loads(text(trained, result.run_id, "discussion.json")))
    assert to_markdown(topics) == result.discussion


def test_the_results_are_read_back(trained: Trained, result: AnalyzeResult) -> None:
    table = results_table(trained.store, result.run_id)
    assert table.equals(result.table)
    assert set(table["model"]) == {"lenet"}
    assert set(table["version"]) == {"uci-lenet v1"}
    assert set(table["source"]) == set(table["target"]) == {"uci"}
    assert set(select(table, metric="seconds")["method"]) == {""}
    assert value(table, "knn_accuracy") == result.embedding["knn_accuracy"]
    for split in ("train", "test", "both"):
        rows = select(table, method="ward", split=split, group="10")
        assert {"purity", "ari", "ami", "matched_accuracy"} <= set(rows["metric"])
    assert replace(result, table=table).to_json() == result.to_json()


def test_the_tables_have_every_digit_once(trained: Trained, result: AnalyzeResult) -> None:
    for split in ("train", "test"):
        rows = list(csv.DictReader(io.StringIO(text(trained, result.run_id, f"confusing_{split}.csv"))))
        listed = [row for row in result.confusing if row["split"] == split]
        assert [int(row["index"]) for row in rows][: len(listed)] == [row["index"] for row in listed]
        assert len({row["index"] for row in rows}) == len(rows)
        assert set(MEASURES) <= rows[0].keys()


def test_networks_are_compared_in_a_run_of_their_own(trained: Trained, both: AnalyzeManyResult) -> None:
    run = trained.store.client.get_run(both.run_id)
    assert run.info.status == "FINISHED"
    assert both.run_id not in {result.run_id for result in both.models.values()}
    assert text(trained, both.run_id, "discussion.md") == both.discussion
    assert both.discussion.startswith("## lenet and mlp_small: feature spaces\n")
    assert both.confusing == both.models["lenet"].confusing
    assert run.data.tags["digits.data_digest"] == UCI.digest
    table = results_table(trained.store, both.run_id)
    assert set(table["model"]) == {"lenet", "mlp_small"}
    assert set(table["version"]) == {"uci-lenet v1", "uci-mlp_small v1"}
    for name, result in both.models.items():
        assert value(table, "trustworthiness", model=name) == result.embedding["trustworthiness"]


def test_another_analysis_uses_the_cache_and_has_the_same_results(
    trained: Trained, both: AnalyzeManyResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_if_computed(monkeypatch, "nearest", "held_out", "extract")  # the stages that take long
    recorded = RecordedStages()
    flat = analyze(trained.store, "lenet", AnalyzeOptions(limit=LIMIT, components=2), recorded)
    before = both.models["lenet"]
    assert flat.run_id != before.run_id
    assert flat.confusing == before.confusing
    assert flat.embedding["components"] == 2
    assert flat.embedding["knn_accuracy_before"] == before.embedding["knn_accuracy_before"]
    assert any("map" in stage for stage in recorded.stages)


@pytest.mark.parametrize(
    ("options", "said"),
    [({"components": 4}, "components must be 2 or 3, received 4"), ({"limit": 0}, "limit must be at least 1")],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        AnalyzeOptions(**options)


def test_too_few_digits_are_refused_before_a_run_is_opened(trained: Trained) -> None:
    before = len(trained.store.client.search_runs([trained.store.experiment_id], max_results=1000))
    with pytest.raises(UsageError, match="--limit 3 leaves 2 training and 1 test digits"):
        analyze(trained.store, "lenet", AnalyzeOptions(limit=3))
    assert len(trained.store.client.search_runs([trained.store.experiment_id], max_results=1000)) == before


def test_one_network_by_two_names_is_not_compared_with_itself(trained: Trained) -> None:
    with pytest.raises(UsageError, match="lenet, uci-lenet are the same network"):
        analyze_many(trained.store, ["lenet", "uci-lenet"], AnalyzeOptions(limit=LIMIT))


@pytest.mark.usefixtures("no_figures")
def test_an_interrupted_analysis_resumes_in_its_run(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    options = AnalyzeOptions(limit=300)
    with monkeypatch.context() as patch:
        patch.setattr(f"{PIPELINE}.kmeans", stop)
        with pytest.raises(KeyboardInterrupt):
            analyze(trained.store, "mlp_small", options)
    runs = trained.store.client.search_runs([trained.store.experiment_id], "tags.digits.kind = 'analyze'")
    assert runs[0].info.status == "KILLED"
    fail_if_computed(monkeypatch, "nearest")
    result = analyze(trained.store, "mlp_small", options)
    assert result.run_id == runs[0].info.run_id
    assert trained.store.client.get_run(result.run_id).info.status == "FINISHED"
    assert result.seconds["neighbors"] > 0
    kept = [file for file in (trained.store.root / ".digits" / "features").rglob("*") if ".new" in file.name]
    assert not kept


@pytest.mark.usefixtures("no_figures")
def test_damaged_cache_files_are_computed_again(trained: Trained) -> None:
    options = AnalyzeOptions(limit=300)
    before = analyze(trained.store, "mlp_small", options)
    for file in (trained.store.root / ".digits" / "features").rglob("*.npz"):
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert analyze(trained.store, "mlp_small", options).confusing == before.confusing


def test_networks_of_different_data_need_a_data_set(trained: Trained) -> None:
    with pytest.raises(UsageError, match="name at least one model"):
        analyze_many(trained.store, [])
    with pytest.raises(DigitsError, match="no cnn has been trained yet"):
        analyze(trained.store, "cnn")


def one_class(split: datasets.Split) -> datasets.Split:
    return split.take(split.labels == 3)


def test_digits_of_one_class_are_refused(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    data = replace(UCI, train=one_class(UCI.train), test=one_class(UCI.test))
    monkeypatch.setattr(datasets, "load", lambda *_: data)
    with pytest.raises(UsageError, match="all training digits are of class 3"):
        analyze(trained.store, "lenet")


def saved(folder: Path, features: Any, name: str = "penultimate") -> str:
    inputs = keras.Input((28, 28, 1))
    flat = keras.layers.Flatten()(inputs)
    layer = keras.layers.Dense(8, name=name, kernel_initializer=features, bias_initializer=features)
    outputs = keras.layers.Dense(10, activation="softmax")(layer(flat))
    file = folder / f"{name}.keras"
    keras.Model(inputs, outputs).save(file)
    return str(file)


@pytest.mark.parametrize(
    ("side", "classes", "activation", "said"),
    [
        (32, 10, "softmax", r"maps \(32, 32, 1\) to \(10,\); a digit network maps"),
        (28, 5, "softmax", r"maps \(28, 28, 1\) to \(5,\); a digit network maps"),
        (28, 10, None, "does not give probabilities .*; a digit network ends in softmax"),
    ],
)
def test_a_network_that_is_none_for_digits_is_refused(
    trained: Trained, tmp_path: Path, side: int, classes: int, activation: str | None, said: str
) -> None:
    inputs = keras.Input((side, side, 1))
    layer = keras.layers.Dense(8, name="penultimate")(keras.layers.Flatten()(inputs))
    file = tmp_path / "odd.keras"
    keras.Model(inputs, keras.layers.Dense(classes, activation=activation)(layer)).save(file)
    with pytest.raises(UsageError, match=said):
        analyze(trained.store, str(file), AnalyzeOptions("uci", limit=200))
    assert not list((trained.store.root / ".digits" / "features").rglob("*.new*"))


@pytest.mark.usefixtures("no_figures")
def test_a_class_with_one_digit_leaves_valid_json(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    rare = UCI.train.take(np.flatnonzero(UCI.train.labels != 2))
    one = UCI.train.take(np.flatnonzero(UCI.train.labels == 2)[:1])
    train = datasets.Split(np.concatenate([rare.images, one.images]), np.concatenate([rare.labels, one.labels]))
    data = replace(UCI, train=train)
    monkeypatch.setattr(datasets, "load", lambda *_: data)
    result = analyze(trained.store, "lenet", AnalyzeOptions(limit=400))
    json.dumps(result.to_json(), allow_nan=False)


@pytest.mark.parametrize(
    ("features", "layer", "said"),
    [
        ("zeros", "penultimate", "gives every image the same features"),
        (keras.initializers.Constant(float("nan")), "penultimate", "not finite"),
        ("glorot_uniform", "hidden", "no layer 'penultimate' to take features from; its layers are .*hidden"),
    ],
)
def test_a_network_with_nothing_to_find_is_refused(
    trained: Trained, tmp_path: Path, features: Any, layer: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        analyze(trained.store, saved(tmp_path, features, layer), AnalyzeOptions("uci", limit=200))
