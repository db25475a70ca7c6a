"""Evaluation from reference to recorded results; scikit-learn computes the expected numbers."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from conftest import Trained
from run_files import draw_nothing, files, text
from sklearn import metrics

from experiments import datasets, tracking
from experiments.errors import DigitsError, UsageError
from experiments.models.prediction import predict
from experiments.results import by_metric, select, value
from experiments.tracking import load_network, resolve_reference
from experiments.workflows.evaluate import EvaluateOptions, EvaluateResult, evaluate

LABELS = datasets.load("uci").test.labels
BOTH = {"mlp_small": "mlp_small", "lenet": "lenet"}


@pytest.fixture(scope="module")
def joined(_trained: Trained) -> EvaluateResult:
    """Evaluate both networks and their ensemble."""
    with pytest.MonkeyPatch.context() as patch:
        draw_nothing(patch)
        return evaluate(_trained.store, BOTH, EvaluateOptions(ensemble=True))


def probabilities(trained: Trained, model: str) -> Any:
    network = load_network(trained.store, resolve_reference(trained.store, model))
    return predict(network, datasets.load("uci").test)


def model_id(trained: Trained, model: str) -> str:
    return str(resolve_reference(trained.store, model).model_id)


def test_the_numbers_are_those_of_scikit_learn(trained: Trained, joined: EvaluateResult) -> None:
    alone = [probabilities(trained, name).astype(np.float64) for name in BOTH]
    for name, said in zip([*BOTH, "ensemble"], [*alone, np.mean(alone, axis=0)], strict=True):
        p = said / said.sum(axis=1, keepdims=True)
        found = joined.models[name]
        assert found["n"] == len(LABELS)
        assert found["accuracy"] == pytest.approx(metrics.accuracy_score(LABELS, p.argmax(1)))
        assert found["macro_f1"] == pytest.approx(metrics.f1_score(LABELS, p.argmax(1), average="macro"))
        assert found["log_loss"] == pytest.approx(metrics.log_loss(LABELS, p), rel=1e-4)
        assert found["top2"] == pytest.approx(metrics.top_k_accuracy_score(LABELS, p, k=2))


def test_an_evaluation_is_a_child_of_the_training_and_linked_to_its_model(
    trained: Trained, joined: EvaluateResult
) -> None:
    run = trained.store.client.get_run(joined.models["lenet"]["run_id"])
    assert run.info.status == "FINISHED"
    assert run.data.tags["digits.kind"] == "evaluate"
    assert run.data.tags["mlflow.parentRunId"] == trained.results["lenet"].run_id
    assert [model.model_id for model in run.inputs.model_inputs] == [model_id(trained, "lenet")]


@pytest.mark.parametrize("name", BOTH)
def test_accuracy_and_speed_are_on_the_run_on_the_model_and_in_the_comparison(
    trained: Trained, joined: EvaluateResult, name: str
) -> None:
    found = joined.models[name]
    assert found["latency_ms"] > 0
    assert found["images_per_second"] > 1000 / found["latency_ms"]  # in batches an image takes less than on its own
    on_run = trained.store.client.get_run(found["run_id"]).data.metrics
    on_model = {m.key: m.value for m in trained.store.client.get_logged_model(model_id(trained, name)).metrics}
    for metric in ("accuracy", "latency_ms", "images_per_second"):
        assert on_run[metric] == on_model[metric] == found[metric]
    lines = [line.split("|") for line in text(trained.store, joined.run_id, "comparison.md").splitlines()[:5]]
    heads, _, *rows = ([cell.strip() for cell in line] for line in lines)
    (row,) = [row for row in rows if row[1] == name]
    for metric in ("accuracy", "latency_ms"):
        assert row[heads.index(metric)] == f"{found[metric]:.4f}"


def test_an_evaluation_records_figures_and_all_predictions(trained: Trained, joined: EvaluateResult) -> None:
    names = {"confusion", "confusion_normalized", "sample_predictions", "misclassified", "reliability"}
    predicted = probabilities(trained, "lenet").argmax(axis=1).tolist()
    for model in ("lenet", "ensemble"):
        run_id = joined.models[model]["run_id"]
        recorded = files(trained.store, run_id)
        assert recorded >= {f"figures/{name}.png" for name in names} | {f"data/{name}.npz" for name in names}
        as_csv = list(csv.DictReader(io.StringIO(text(trained.store, run_id, "predictions.csv"))))
        as_json = json.loads(text(trained.store, run_id, "predictions.json"))
        assert [int(row["label"]) for row in as_csv] == [row["label"] for row in as_json] == LABELS.tolist()
        assert [int(row["predicted"]) for row in as_csv] == [row["predicted"] for row in as_json]
        assert np.mean([row["correct"] for row in as_json]) == joined.models[model]["accuracy"]
        assert ([row["predicted"] for row in as_json] == predicted) == (model == "lenet")


def test_several_networks_are_compared(trained: Trained, joined: EvaluateResult) -> None:
    right = {name: probabilities(trained, name).argmax(axis=1) == LABELS for name in BOTH}
    mlp, lenet = right.values()
    run = trained.store.client.get_run(joined.run_id)
    missed = list(joined.misclassified_by_all)
    assert set(missed) <= set(np.flatnonzero(~mlp & ~lenet).tolist())  # the ensemble is one of all
    assert json.loads(text(trained.store, joined.run_id, "misclassified_by_all.json")) == missed
    assert run.data.metrics["misclassified_by_all"] == len(missed)
    assert run.data.metrics["accuracy/lenet"] == joined.models["lenet"]["accuracy"]
    assert files(trained.store, joined.run_id) >= {"figures/comparison.png", "figures/missed_by_all.png"}
    pairs = {(pair["a"], pair["b"]): pair for pair in joined.pairs}
    assert [*pairs] == [("mlp_small", "lenet"), ("mlp_small", "ensemble"), ("lenet", "ensemble")]
    pair = pairs["mlp_small", "lenet"]
    assert (pair["only_a"], pair["only_b"]) == ((mlp & ~lenet).sum(), (~mlp & lenet).sum())
    tests = select(joined.table, metric="mcnemar", model="mlp_small", baseline="lenet").iloc[0]
    assert (tests["value"], tests["p"]) == (pair["p_value"], pair["p_holm"])
    assert value(joined.table, "only_correct", model="lenet", baseline="mlp_small") == pair["only_b"]


def test_the_recorded_table_is_that_of_the_result(trained: Trained, joined: EvaluateResult) -> None:
    table = tracking.results_table(trained.store, joined.run_id)
    assert table.equals(joined.table)
    assert {*table["target"], *table["split"], *table["source"]} == {"uci", "test", ""}
    accuracy = select(table, metric="accuracy", model="lenet").iloc[0]
    assert (accuracy["version"], accuracy["n"]) == ("uci-lenet v1", len(LABELS))
    assert accuracy["low"] < accuracy["value"] < accuracy["high"]
    recall = select(table, metric="recall", model="lenet", group="3").iloc[0]
    assert recall["n"] == (LABELS == 3).sum()
    run_id = joined.models["lenet"]["run_id"]
    alone = tracking.results_table(trained.store, run_id)
    assert alone.equals(select(table, model="lenet", baseline="").reset_index(drop=True))
    assert trained.store.client.get_run(run_id).data.metrics["recall/3"] == recall["value"]


def test_an_ensemble_has_a_run_under_the_comparison_and_is_compared_with_its_members(
    trained: Trained, joined: EvaluateResult
) -> None:
    found, accuracies = joined.models["ensemble"], [joined.models[name]["accuracy"] for name in BOTH]
    assert found["vote_accuracy"] == found["accuracy"]  # two that disagree have a vote each; then the mean decides
    assert found["members"] == [*BOTH]
    assert found["members_accuracy"] == pytest.approx(np.mean(accuracies))
    assert found["members_accuracy_std"] == pytest.approx(np.std(accuracies, ddof=1))
    run = trained.store.client.get_run(found["run_id"])
    assert run.info.status == "FINISHED"
    assert run.data.tags["mlflow.parentRunId"] == joined.run_id
    assert (run.data.tags["digits.kind"], run.data.tags["digits.model"]) == ("evaluate", "ensemble")
    assert run.data.params["members"] == "uci-mlp_small v1, uci-lenet v1"
    assert {model.model_id for model in run.inputs.model_inputs} == {model_id(trained, name) for name in BOTH}
    own = ("accuracy", "vote_accuracy", "members_accuracy", "members_accuracy_std")
    assert {name: found[name] for name in own}.items() <= run.data.metrics.items()
    assert "| ensemble |" in text(trained.store, joined.run_id, "comparison.md")


@pytest.mark.usefixtures("no_figures")
def test_a_tuned_network_is_named_as_such_in_tables_and_by_its_name_in_json(
    trained: Trained, joined: EvaluateResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    lenet = replace(resolve_reference(trained.store, "lenet"), tuned=True)
    resolve = tracking.references.resolve_reference
    monkeypatch.setattr(
        "experiments.tracking.references.resolve_reference",
        lambda store, text: lenet if text == "lenet" else resolve(store, text),
    )
    found = evaluate(trained.store, BOTH)
    assert [*dict.fromkeys(found.table["model"])] == ["mlp_small", "lenet (tuned)", ""]
    assert found.models["lenet"]["accuracy"] == joined.models["lenet"]["accuracy"]
    assert [(pair["a"], pair["b"]) for pair in found.pairs] == [("mlp_small", "lenet")]
    assert "| lenet (tuned) |" in text(trained.store, found.run_id, "comparison.md")
    wrong = [probabilities(trained, name).argmax(axis=1) != LABELS for name in BOTH]
    assert list(found.misclassified_by_all) == np.flatnonzero(wrong[0] & wrong[1]).tolist()


@pytest.mark.usefixtures("no_figures")
def test_a_file_is_evaluated_like_a_registered_model(trained: Trained, joined: EvaluateResult, tmp_path: Path) -> None:
    file, link = tmp_path / "mine.keras", tmp_path / "link.keras"
    load_network(trained.store, resolve_reference(trained.store, "lenet")).save(file)
    link.symlink_to(file)
    result = evaluate(trained.store, {"file": str(file)}, EvaluateOptions("uci"))
    found = result.models["file"]
    assert by_metric(result.table)["accuracy"] == found["accuracy"] == joined.models["lenet"]["accuracy"]
    assert "mlflow.parentRunId" not in trained.store.client.get_run(found["run_id"]).data.tags
    assert result.run_id == found["run_id"]  # one network needs no comparison
    assert result.pairs == []
    with pytest.raises(UsageError, match="one and other"):
        evaluate(trained.store, {"one": str(file), "other": str(link)}, EvaluateOptions("uci", ensemble=True))


@pytest.mark.parametrize(
    ("models", "named"),
    [
        ({}, "model"),
        ({"lenet": "lenet"}, "two .*lenet$"),
        ({"lenet": "lenet", "also": "models:/uci-lenet/1"}, "lenet and also"),
        ({"lenet": "lenet", "ensemble": "mlp_small"}, "'ensemble'"),
        ({"lenet": "lenet", "cnn": "cnn"}, "digits train cnn"),
    ],
)
def test_what_cannot_be_evaluated_together_is_refused(trained: Trained, models: dict[str, str], named: str) -> None:
    with pytest.raises(DigitsError, match=named):
        evaluate(trained.store, models, EvaluateOptions(ensemble=bool(models)))


@pytest.mark.parametrize(
    ("shape", "classes", "named"),
    [((8, 8, 1), 3, r"\(8, 8, 1\) to \(3,\)"), ((28, 28, 1), 10, r"network\.keras .*softmax$")],
)
def test_a_network_that_gives_no_probabilities_of_digits_is_refused(
    trained: Trained, tmp_path: Path, shape: tuple[int, int, int], classes: int, named: str
) -> None:
    inputs = keras.Input(shape)
    network = keras.Model(inputs, keras.layers.Dense(classes)(keras.layers.Flatten()(inputs)))
    network.save(tmp_path / "network.keras")
    with pytest.raises(UsageError, match=named):
        evaluate(trained.store, {"file": str(tmp_path / "network.keras")}, EvaluateOptions("uci"))
