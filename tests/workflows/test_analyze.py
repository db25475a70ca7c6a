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
from fake_fit import FakeFit
from run_files import draw_nothing, files, text
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from experiments import datasets
from experiments.analysis.confusing import MEASURES
from experiments.analysis.tsne import SCHEDULE
from experiments.errors import DigitsError, UsageError
from experiments.evaluation.effects import from_json
from experiments.models.prediction import predict
from experiments.reporting.discussion.text import to_markdown
from experiments.results import select, value
from experiments.tracking import load_network, resolve_reference, results_table
from experiments.workflows.analyze import AnalyzeManyResult, AnalyzeOptions, AnalyzeResult, analyze, analyze_many

PIPELINE = "experiments.workflows.analyze.pipeline"
LIMIT = 400
UCI = datasets.load("uci")


@pytest.fixture(scope="module", autouse=True)
def _fast() -> Iterator[None]:
    """Train no network that holds digits out, draw no figures, and optimize embeddings for a few steps."""
    with pytest.MonkeyPatch.context() as patch, threadpool_limits(1):
        draw_nothing(patch)
        patch.setattr("experiments.training.fit", FakeFit())
        patch.setattr(f"{PIPELINE}.SCHEDULE", replace(SCHEDULE, exaggerated=30, steps=20))
        yield


@pytest.fixture(scope="module")
def both(_trained: Trained, _fast: None) -> AnalyzeManyResult:
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


def test_the_json_object_has_the_documented_keys(result: AnalyzeResult) -> None:
    value = json.loads(json.dumps(result.to_json()))
    assert value.keys() >= {"run_id", "model", "embedding", "clusters", "confusing"}
    assert value["embedding"].keys() >= {"knn_accuracy", "trustworthiness", "seconds"}
    assert value["clusters"].keys() == {"kmeans", "ward"}
    assert value["clusters"]["kmeans"].keys() >= {"k", "ari", "purity"}
    assert value["n"] == LIMIT
    assert 0.7 < value["embedding"]["knn_accuracy"] <= 1


@pytest.mark.parametrize("split", ["train", "test"])
def test_confusing_digits_are_best_first_and_point_to_the_data_set(
    trained: Trained, result: AnalyzeResult, split: str
) -> None:
    images, rows = getattr(UCI, split), [row for row in result.confusing if row["split"] == split]
    n = round(LIMIT * len(images) / (len(UCI.train) + len(UCI.test)))
    index = [row["index"] for row in rows]
    assert len({*index}) == len(rows) == min(200, n)
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    assert [row["score"] for row in rows] == sorted((row["score"] for row in rows), reverse=True)
    assert [row["label"] for row in rows] == images.labels[index].tolist()
    network = load_network(trained.store, resolve_reference(trained.store, "lenet"))
    predicted = predict(network, images.take(np.array(index))).argmax(axis=1)
    assert [row["predicted"] for row in rows] == predicted.tolist()
    listed = list(csv.DictReader(io.StringIO(text(trained.store, result.run_id, f"confusing_{split}.csv"))))
    assert [int(row["index"]) for row in listed][: len(rows)] == index
    assert len({row["index"] for row in listed}) == len(listed) == n
    assert set(MEASURES) <= listed[0].keys()


def test_errors_rank_before_correct_predictions(result: AnalyzeResult) -> None:
    wrong = [row["predicted"] != row["label"] for row in result.confusing if row["split"] == "test"]
    assert sum(wrong[: len(wrong) // 2]) > sum(wrong[len(wrong) // 2 :])


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
    found = files(trained.store, result.run_id)
    assert {"explorer.html", "discussion.md", "results.csv", "confusing_train.csv", "confusing_test.csv"} <= found
    names = ("map", "map_predicted", "map_kmeans", "map_ward", "map_confusion", "cluster_count", "dendrogram")
    more = ("centroids", "measures_test", "confusing_train", "confusing_test", "duplicates", "outliers")
    assert {f"figures/{name}.png" for name in (*names, *more)} <= found
    assert {f"data/{name}.npz" for name in (*names, *more, "explorer")} <= found
    assert text(trained.store, result.run_id, "discussion.md") == result.discussion
    topics = from_json(json.loads(text(trained.store, result.run_id, "discussion.json")))
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


def test_networks_are_compared_in_a_run_of_their_own(trained: Trained, both: AnalyzeManyResult) -> None:
    run = trained.store.client.get_run(both.run_id)
    assert run.info.status == "FINISHED"
    assert both.run_id not in {result.run_id for result in both.models.values()}
    assert text(trained.store, both.run_id, "discussion.md") == both.discussion
    assert "lenet and mlp_small" in both.discussion
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
    flat = analyze(trained.store, "lenet", AnalyzeOptions(limit=LIMIT, components=2))
    before = both.models["lenet"]
    assert flat.run_id != before.run_id
    assert flat.confusing == before.confusing
    assert flat.embedding["components"] == 2
    assert flat.embedding["knn_accuracy_before"] == before.embedding["knn_accuracy_before"]


@pytest.mark.parametrize(("options", "named"), [({"components": 4}, "components .* 4"), ({"limit": 0}, "limit .* 0")])
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        AnalyzeOptions(**options)


@pytest.mark.parametrize(
    ("models", "limit", "named"),
    [
        ([], LIMIT, "model"),
        (["cnn", "lenet"], LIMIT, "digits train cnn"),
        (["lenet", "uci-lenet"], LIMIT, "lenet, uci-lenet "),
        (["lenet", "mlp_small"], 3, "--limit 3 .* 2 training .* 1 test"),
    ],
)
def test_what_cannot_be_analyzed_is_refused_before_a_run_is_opened(
    trained: Trained, models: list[str], limit: int, named: str
) -> None:
    def runs() -> int:
        return len(trained.store.client.search_runs([trained.store.experiment_id], max_results=1000))

    before = runs()
    with pytest.raises(DigitsError, match=named):
        analyze_many(trained.store, models, AnalyzeOptions(limit=limit))
    assert runs() == before


def test_an_interrupted_analysis_resumes_in_its_run_and_damaged_files_of_its_cache_are_computed_again(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    options, cache = AnalyzeOptions(limit=200), trained.store.root / ".digits/features"
    with monkeypatch.context() as patch:
        patch.setattr(f"{PIPELINE}.kmeans", stop)
        with pytest.raises(KeyboardInterrupt):
            analyze(trained.store, "mlp_small", options)
    runs = trained.store.client.search_runs([trained.store.experiment_id], "tags.digits.kind = 'analyze'")
    assert runs[0].info.status == "KILLED"
    with monkeypatch.context() as patch:
        fail_if_computed(patch, "nearest")
        result = analyze(trained.store, "mlp_small", options)
    assert result.run_id == runs[0].info.run_id
    assert trained.store.client.get_run(result.run_id).info.status == "FINISHED"
    assert result.seconds["neighbors"] > 0
    assert not [file for file in cache.rglob("*") if ".new" in file.name]
    for file in cache.rglob("*.npz"):
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert analyze(trained.store, "mlp_small", options).confusing == result.confusing


def test_digits_of_one_class_are_refused(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    train, test = (split.take(split.labels == 3) for split in (UCI.train, UCI.test))
    monkeypatch.setattr(datasets, "load", lambda *_: replace(UCI, train=train, test=test))
    with pytest.raises(UsageError, match="class 3"):
        analyze(trained.store, "lenet")


def test_a_class_with_one_digit_leaves_valid_json(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = [np.flatnonzero(UCI.train.labels != 2), np.flatnonzero(UCI.train.labels == 2)[:1]]
    data = replace(UCI, train=UCI.train.take(np.concatenate(chosen)))
    monkeypatch.setattr(datasets, "load", lambda *_: data)
    result = analyze(trained.store, "lenet", AnalyzeOptions(limit=200))
    json.dumps(result.to_json(), allow_nan=False)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"side": 32}, r"\(32, 32, 1\) to \(10,\)"),
        ({"classes": 5}, r"\(28, 28, 1\) to \(5,\)"),
        ({"activation": None}, "softmax"),
        ({"features": "zeros"}, "same features"),
        ({"features": keras.initializers.Constant(float("nan"))}, "finite"),
        ({"layer": "hidden"}, "'penultimate' .*hidden"),
    ],
)
def test_a_network_without_features_or_probabilities_of_digits_is_refused(
    trained: Trained, tmp_path: Path, change: dict[str, Any], named: str
) -> None:
    network = {"side": 28, "classes": 10, "activation": "softmax", "features": "glorot_uniform", "layer": "penultimate"}
    side, classes, activation, features, layer = {**network, **change}.values()
    inputs = keras.Input((side, side, 1))
    hidden = keras.layers.Dense(8, name=layer, kernel_initializer=features, bias_initializer="zeros")
    outputs = keras.layers.Dense(classes, activation=activation)(hidden(keras.layers.Flatten()(inputs)))
    keras.Model(inputs, outputs).save(tmp_path / "odd.keras")
    with pytest.raises(UsageError, match=named):
        analyze(trained.store, str(tmp_path / "odd.keras"), AnalyzeOptions("uci", limit=200))
    assert not list((trained.store.root / ".digits/features").rglob("*.new*"))
