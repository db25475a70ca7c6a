"""Evaluation from reference to recorded results; scikit-learn computes the expected numbers."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Trained
from mlflow.artifacts import load_text
from sklearn import metrics

from experiments import datasets, tracking
from experiments.errors import DigitsError, UsageError
from experiments.models.prediction import predict
from experiments.results import select, value
from experiments.tracking import Store, load_network, resolve_reference
from experiments.workflows.evaluate import EvaluateOptions, EvaluateResult, evaluate

LABELS = datasets.load("uci").test.labels


@pytest.fixture(scope="module")
def compared(_trained: Trained) -> EvaluateResult:
    """Return both networks compared."""
    return evaluate(_trained.store, {"mlp_small": "mlp_small", "lenet": "lenet"})


def probabilities(trained: Trained, model: str) -> Any:
    network = load_network(trained.store, resolve_reference(trained.store, model))
    return predict(network, datasets.load("uci").test)


def text(trained: Trained, run_id: str, file: str) -> str:
    return str(load_text(f"{trained.store.client.get_run(run_id).info.artifact_uri}/{file}"))


def artifacts(store: Store, run_id: str, folder: str | None = None) -> set[str]:
    return {Path(file.path).name for file in store.client.list_artifacts(run_id, folder)}


def test_the_numbers_are_those_of_scikit_learn(trained: Trained, compared: EvaluateResult) -> None:
    for name in ("mlp_small", "lenet"):
        p = probabilities(trained, name).astype(np.float64)
        p /= p.sum(axis=1, keepdims=True)
        found = compared.models[name]
        assert found["n"] == len(LABELS)
        assert found["accuracy"] == pytest.approx(metrics.accuracy_score(LABELS, p.argmax(1)))
        assert found["macro_f1"] == pytest.approx(metrics.f1_score(LABELS, p.argmax(1), average="macro"))
        assert found["log_loss"] == pytest.approx(metrics.log_loss(LABELS, p), rel=1e-4)
        assert found["top2"] == pytest.approx(metrics.top_k_accuracy_score(LABELS, p, k=2))


def test_an_evaluation_is_a_child_of_the_training_and_linked_to_its_model(
    trained: Trained, compared: EvaluateResult
) -> None:
    run = trained.store.client.get_run(compared.models["lenet"]["run_id"])
    assert run.info.status == "FINISHED"
    assert run.data.tags["digits.kind"] == "evaluate"
    assert run.data.tags["mlflow.parentRunId"] == trained.results["lenet"].run_id
    assert run.data.metrics["accuracy"] == compared.models["lenet"]["accuracy"]
    model_id = resolve_reference(trained.store, "lenet").model_id
    assert [model.model_id for model in run.inputs.model_inputs] == [model_id]
    on_model = {m.key: m.value for m in trained.store.client.get_logged_model(str(model_id)).metrics}
    assert on_model["accuracy"] == compared.models["lenet"]["accuracy"]


def test_the_speed_of_each_network_is_recorded_and_compared(trained: Trained, compared: EvaluateResult) -> None:
    for name in ("mlp_small", "lenet"):
        found = compared.models[name]
        assert found["latency_ms"] > 0
        # In batches an image takes less than on its own.
        assert found["images_per_second"] > 1000 / found["latency_ms"]
        kept = trained.store.client.get_run(found["run_id"]).data.metrics
        on_model = trained.store.client.get_logged_model(str(resolve_reference(trained.store, name).model_id)).metrics
        for metric in ("latency_ms", "images_per_second"):
            assert kept[metric] == found[metric]
            assert found[metric] in {m.value for m in on_model if m.key == metric}
    heads, _, *rows = text(trained, compared.run_id, "comparison.md").splitlines()[:4]
    assert "latency_ms" in heads
    assert {row.split("|")[-2].strip() for row in rows} == {
        f"{compared.models[name]['latency_ms']:.4f}" for name in ("mlp_small", "lenet")
    }


def test_an_evaluation_keeps_figures_and_all_predictions(trained: Trained, compared: EvaluateResult) -> None:
    run_id = compared.models["lenet"]["run_id"]
    assert artifacts(trained.store, run_id, "figures") == {
        "confusion.png",
        "confusion_normalized.png",
        "sample_predictions.png",
        "misclassified.png",
        "reliability.png",
    }
    assert "misclassified.npz" in artifacts(trained.store, run_id, "data")
    rows = list(csv.DictReader(io.StringIO(text(trained, run_id, "predictions.csv"))))
    assert [int(row["label"]) for row in rows] == LABELS.tolist()
    predicted = probabilities(trained, "lenet").argmax(axis=1).tolist()
    assert [int(row["predicted"]) for row in rows] == predicted
    as_json = json.loads(text(trained, run_id, "predictions.json"))
    assert [row["predicted"] for row in as_json] == predicted


def test_several_networks_are_compared(trained: Trained, compared: EvaluateResult) -> None:
    wrong = [probabilities(trained, name).argmax(axis=1) != LABELS for name in ("mlp_small", "lenet")]
    missed = np.flatnonzero(wrong[0] & wrong[1]).tolist()
    assert list(compared.misclassified_by_all) == missed
    assert json.loads(text(trained, compared.run_id, "misclassified_by_all.json")) == missed
    (pair,) = compared.pairs
    assert (pair["only_a"], pair["only_b"]) == ((~wrong[0] & wrong[1]).sum(), (wrong[0] & ~wrong[1]).sum())
    run = trained.store.client.get_run(compared.run_id)
    assert run.data.metrics["accuracy/lenet"] == compared.models["lenet"]["accuracy"]
    assert run.data.metrics["misclassified_by_all"] == len(missed)
    assert artifacts(trained.store, compared.run_id, "figures") == {"comparison.png", "missed_by_all.png"}
    assert "| lenet |" in text(trained, compared.run_id, "comparison.md")


def test_the_recorded_table_is_that_of_the_result(trained: Trained, compared: EvaluateResult) -> None:
    table = tracking.results_table(trained.store, compared.run_id)
    assert table.equals(compared.table)
    assert {*table["target"], *table["split"], *table["source"]} == {"uci", "test", ""}
    accuracy = select(table, metric="accuracy", model="lenet").iloc[0]
    assert (accuracy["version"], accuracy["n"]) == ("uci-lenet v1", len(LABELS))
    assert accuracy["low"] < accuracy["value"] < accuracy["high"]
    recall = select(table, metric="recall", model="lenet", group="3").iloc[0]
    assert recall["n"] == (LABELS == 3).sum()
    run_id = compared.models["lenet"]["run_id"]
    alone = tracking.results_table(trained.store, run_id)
    assert alone.equals(select(table, model="lenet", baseline="").reset_index(drop=True))
    assert trained.store.client.get_run(run_id).data.metrics["recall/3"] == recall["value"]


def test_a_comparison_holds_each_test_with_its_baseline(compared: EvaluateResult) -> None:
    (pair,) = compared.pairs
    row = select(compared.table, metric="mcnemar").iloc[0]
    assert (row["model"], row["baseline"]) == (pair["a"], pair["b"]) == ("mlp_small", "lenet")
    assert (row["value"], row["p"]) == (pair["p_value"], pair["p_holm"])
    assert value(compared.table, "only_correct", model="lenet", baseline="mlp_small") == pair["only_b"]


def test_a_tuned_network_is_named_as_such_in_tables_and_by_its_name_in_json(
    trained: Trained, compared: EvaluateResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    lenet = replace(resolve_reference(trained.store, "lenet"), tuned=True)
    resolve = tracking.references.resolve_reference
    monkeypatch.setattr(
        "experiments.tracking.references.resolve_reference",
        lambda store, text: lenet if text == "lenet" else resolve(store, text),
    )
    found = evaluate(trained.store, {"mlp_small": "mlp_small", "lenet": "lenet"})
    assert [*dict.fromkeys(found.table["model"])] == ["mlp_small", "lenet (tuned)", ""]
    assert found.models["lenet"]["accuracy"] == compared.models["lenet"]["accuracy"]
    assert [(pair["a"], pair["b"]) for pair in found.pairs] == [("mlp_small", "lenet")]
    assert "| lenet (tuned) |" in text(trained, found.run_id, "comparison.md")


@pytest.fixture(scope="module")
def joined(_trained: Trained) -> EvaluateResult:
    """Return both networks compared with what they say together."""
    return evaluate(_trained.store, {"mlp_small": "mlp_small", "lenet": "lenet"}, EvaluateOptions(ensemble=True))


def test_an_ensemble_is_the_mean_of_its_members(
    trained: Trained, compared: EvaluateResult, joined: EvaluateResult
) -> None:
    alone = [probabilities(trained, name) for name in ("mlp_small", "lenet")]
    found = joined.models["ensemble"]
    assert list(joined.models) == ["mlp_small", "lenet", "ensemble"]
    assert found["accuracy"] == np.mean(np.mean(alone, axis=0).argmax(axis=1) == LABELS)
    # Two members that disagree have a vote each; then the mean decides.
    assert found["vote_accuracy"] == found["accuracy"]
    accuracies = [compared.models[name]["accuracy"] for name in ("mlp_small", "lenet")]
    assert found["members"] == ["mlp_small", "lenet"]
    assert found["members_accuracy"] == pytest.approx(np.mean(accuracies))
    assert found["members_accuracy_std"] == pytest.approx(np.std(accuracies, ddof=1))
    assert [joined.models[name]["accuracy"] for name in ("mlp_small", "lenet")] == accuracies
    assert [(pair["a"], pair["b"]) for pair in joined.pairs] == [
        ("mlp_small", "lenet"),
        ("mlp_small", "ensemble"),
        ("lenet", "ensemble"),
    ]


def test_an_ensemble_has_a_run_under_the_comparison_that_names_its_members(
    trained: Trained, joined: EvaluateResult
) -> None:
    run = trained.store.client.get_run(joined.models["ensemble"]["run_id"])
    assert run.info.status == "FINISHED"
    assert run.data.tags["mlflow.parentRunId"] == joined.run_id
    assert (run.data.tags["digits.kind"], run.data.tags["digits.model"]) == ("evaluate", "ensemble")
    assert run.data.params["members"] == "uci-mlp_small v1, uci-lenet v1"
    used = {model.model_id for model in run.inputs.model_inputs}
    assert used == {resolve_reference(trained.store, name).model_id for name in ("mlp_small", "lenet")}
    for name in ("accuracy", "vote_accuracy", "members_accuracy"):
        assert run.data.metrics[name] == joined.models["ensemble"][name]
    assert "reliability.png" in artifacts(trained.store, run.info.run_id, "figures")
    rows = json.loads(text(trained, run.info.run_id, "predictions.json"))
    right = sum(row["correct"] for row in rows)
    assert right / len(LABELS) == joined.models["ensemble"]["accuracy"]
    assert "| ensemble |" in text(trained, joined.run_id, "comparison.md")


def test_what_is_no_ensemble_is_refused(trained: Trained, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"at least two models, received lenet$"):
        evaluate(trained.store, {"lenet": "lenet"}, EvaluateOptions(ensemble=True))
    with pytest.raises(UsageError, match="lenet and also are the same network; an ensemble needs different ones"):
        evaluate(trained.store, {"lenet": "lenet", "also": "models:/uci-lenet/1"}, EvaluateOptions(ensemble=True))
    with pytest.raises(UsageError, match="the name 'ensemble' of a model is that of the ensemble"):
        evaluate(trained.store, {"lenet": "lenet", "ensemble": "mlp_small"}, EvaluateOptions(ensemble=True))
    file, link = tmp_path / "some.keras", tmp_path / "other.keras"
    load_network(trained.store, resolve_reference(trained.store, "lenet")).save(file)
    link.symlink_to(file)
    with pytest.raises(UsageError, match="are the same network"):
        evaluate(trained.store, {"one": str(file), "other": str(link)}, EvaluateOptions("uci", ensemble=True))


@pytest.mark.usefixtures("no_figures")
def test_a_file_is_evaluated_like_a_registered_model(
    trained: Trained, compared: EvaluateResult, tmp_path: Path
) -> None:
    file = tmp_path / "mine.keras"
    load_network(trained.store, resolve_reference(trained.store, "lenet")).save(file)
    result = evaluate(trained.store, {"file": str(file)}, EvaluateOptions("uci"))
    found = result.models["file"]
    assert found["accuracy"] == compared.models["lenet"]["accuracy"]
    assert "mlflow.parentRunId" not in trained.store.client.get_run(found["run_id"]).data.tags
    assert result.run_id == found["run_id"]  # one network needs no comparison
    assert result.pairs == []


def test_a_network_of_another_shape_is_refused(trained: Trained, tmp_path: Path) -> None:
    import keras

    inputs = keras.Input((8, 8, 1))
    other = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.Flatten()(inputs)))
    other.save(tmp_path / "other.keras")
    with pytest.raises(UsageError, match=r"maps \(8, 8, 1\) to \(3,\)"):
        evaluate(trained.store, {"other": str(tmp_path / "other.keras")}, EvaluateOptions("uci"))


def test_a_network_that_ends_in_logits_is_refused(trained: Trained, tmp_path: Path) -> None:
    import keras

    inputs = keras.Input((28, 28, 1))
    network = keras.Model(inputs, keras.layers.Dense(10)(keras.layers.Flatten()(inputs)))
    file = tmp_path / "logits.keras"
    network.save(file)
    with pytest.raises(UsageError, match=r"logits\.keras does not give probabilities \(.*\); .* ends in softmax$"):
        evaluate(trained.store, {"logits": str(file)}, EvaluateOptions("uci"))


def test_what_cannot_be_evaluated_is_named(trained: Trained) -> None:
    with pytest.raises(UsageError, match="at least one model"):
        evaluate(trained.store, {})
    with pytest.raises(DigitsError, match="no cnn has been trained yet; run: digits train cnn"):
        evaluate(trained.store, {"cnn": "cnn"})
    with pytest.raises(DigitsError, match="uci-lenet has no version 7"):
        evaluate(trained.store, {"seventh": "models:/uci-lenet/7"})
