"""Models in new domains: results, MLflow runs, caching, and errors."""

import csv
import io
import json
import shutil
import struct
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import point_to
from mlflow.artifacts import load_text
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, f1_score

from experiments import datasets, results
from experiments.datasets.corruptions import CORRUPTIONS
from experiments.errors import UsageError
from experiments.execution.progress import Progress
from experiments.models.prediction import predict
from experiments.tracking import Store, load_network, open_store, resolve_reference, results_table
from experiments.tracking.references import version_trained_with
from experiments.transfer.adaptation import ADAPTATIONS, Adaptation
from experiments.transfer.adaptation.adaptation import Adapted
from experiments.workflows.train.run import TrainOptions, train
from experiments.workflows.transfer import TransferOptions, TransferResult, transfer

METHODS = ("adabn", "tent", "shot", "self-training")
UCI = datasets.load("uci")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def _quick() -> Iterator[None]:
    """Shorten what takes long; the adaptations have tests of their own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("shot", "self-training"):
            method = ADAPTATIONS[name]
            patch.setitem(ADAPTATIONS, name, replace(method, adapt=partial(method.adapt, epochs=2)))
        patch.setattr("experiments.transfer.few_shot.EPOCHS", 2)
        patch.setattr("experiments.workflows.transfer.pipeline.SEEDS", 2)
        yield


@pytest.fixture(scope="module")
def home(empty_database: Path, tmp_path_factory: pytest.TempPathFactory, _quick: None) -> Iterator[Store]:
    """Return a store with `mlp_small` and a network with batch norm, both trained on ``uci``."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copy(empty_database, folder / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        point_to(folder, patch)
        store = open_store()
        for name in ("mlp_small", "cnn_norm"):
            train(store, TrainOptions(name, "uci", settings={"epochs": 3, "batch_size": 32, "precision": "float32"}))
        yield store


def write_idx(file: Path, array: NDArray[np.uint8]) -> None:
    file.write_bytes(struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes())


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a folder with digits of another hand: those of ``uci``, leaning, thinner and of another size."""
    folder = tmp_path_factory.mktemp("elsewhere")
    for part, split, n in (("train", UCI.train, 300), ("t10k", UCI.test, 200)):
        chosen = split.take(range(n))
        leaning = np.stack([np.roll(chosen.images[:, row], (14 - row) // 3, axis=1) for row in range(28)], axis=1)
        write_idx(folder / f"{part}-images-idx3-ubyte", np.pad(leaning, ((0, 0), (2, 2), (4, 4))))
        write_idx(folder / f"{part}-labels-idx1-ubyte", chosen.labels.astype(np.uint8))
    return str(folder)


@pytest.fixture(scope="module")
def result(home: Store, elsewhere: str) -> TransferResult:
    """Return a network with batch norm after all that can be done for it."""
    options = TransferOptions((elsewhere,), ("align", *METHODS), few_shot=(1, None), register=True, retrain=True)
    return transfer(home, ["cnn_norm"], options)


@pytest.fixture(scope="module")
def compared(home: Store, elsewhere: str) -> TransferResult:
    return transfer(home, ["mlp_small", "cnn_norm"], TransferOptions(("uci-c", elsewhere)))


def text(store: Store, run_id: str, file: str) -> str:
    return str(load_text(f"{store.client.get_run(run_id).info.artifact_uri}/{file}"))


def files(store: Store, run_id: str) -> set[str]:
    found, folders = set(), [None]
    while folders:
        for file in store.client.list_artifacts(run_id, folders.pop()):
            found.add(file.path)
            if file.is_dir:
                folders.append(file.path)
    return found


def row_of(result: TransferResult, **wanted: str) -> Any:
    (row,) = [row for row in result.to_json()["results"] if wanted.items() <= row.items()]
    return row


def test_each_way_has_a_row_with_the_promised_keys(result: TransferResult) -> None:
    value = json.loads(json.dumps(result.to_json()))
    assert [row["adapt"] for row in value["results"]] == ["none", "align", *METHODS]
    for row in value["results"]:
        assert row.keys() >= {"model", "source", "target", "adapt", "accuracy", "n", "seconds"}
        assert (row["model"], row["source"], row["n"]) == ("uci-cnn_norm v1", "uci", 200)
        assert row["accuracy_low"] <= row["accuracy"] <= row["accuracy_high"]


def test_the_numbers_are_scikit_learn_s(home: Store, result: TransferResult, elsewhere: str) -> None:
    data = datasets.load(elsewhere)
    network = load_network(home, resolve_reference(home, "cnn_norm"))
    predicted = predict(network, data.test).argmax(axis=1)
    plain = row_of(result, adapt="none")
    assert plain["accuracy"] == pytest.approx(accuracy_score(data.test.labels, predicted))
    assert plain["macro_f1"] == pytest.approx(f1_score(data.test.labels, predicted, average="macro"))
    rows = list(csv.DictReader(io.StringIO(text(home, result.run_id, "predictions.csv"))))
    assert [int(row["predicted"]) for row in rows] == predicted.tolist()
    box = next(rung for rung in row_of(result, adapt="align")["ladder"] if rung["alignment"] == "box")
    assert box["accuracy"] == pytest.approx(plain["accuracy"])


def test_pictures_that_came_aligned_are_no_gain(home: Store, elsewhere: str) -> None:
    aligned = transfer(home, ["mlp_small"], TransferOptions((elsewhere,), ("align",)))
    assert row_of(aligned, adapt="align")["accuracy"] == row_of(aligned, adapt="none")["accuracy"]
    shown = files(home, aligned.run_id)
    assert "figures/alignment.png" in shown
    assert "figures/adaptation.png" not in shown


def test_the_ladder_ends_with_a_network_that_learned_from_deskewed_digits(home: Store, result: TransferResult) -> None:
    aligned = row_of(result, adapt="align")
    networks = {rung["alignment"]: rung["network"] for rung in aligned["ladder"]}
    assert list(networks) == ["resize", "frame", "centre", "box", "deskew", "stroke"]
    assert [name for name, network in networks.items() if network != "uci-cnn_norm v1"] == ["deskew", "stroke"]
    twin = resolve_reference(home, "uci-deskewed-cnn_norm")
    assert twin.dataset == "uci-deskewed"
    fixed = next(rung for rung in aligned["ladder"] if rung["alignment"] == "deskew")
    assert (aligned["alignment"], aligned["accuracy"]) == ("deskew", fixed["accuracy"])
    assert not any(isnan(rung["entropy_unlabelled"]) for rung in aligned["ladder"])


def test_the_result_tells_what_is_behind_the_accuracy(result: TransferResult, elsewhere: str) -> None:
    plain = row_of(result, adapt="none")
    confusion, labels = np.array(plain["confusion"]), datasets.load(elsewhere).test.labels
    assert confusion.trace() / confusion.sum() == pytest.approx(plain["accuracy"])
    assert confusion.sum(axis=1).tolist() == np.bincount(labels, minlength=10).tolist()
    assert confusion.sum(axis=0).tolist() == plain["predicted"]
    assert plain["confused_pairs"][0]["count"] == (confusion - np.diag(confusion.diagonal())).max()
    assert plain["shift"]["mmd"] > plain["shift"]["mmd_chance"]
    assert plain["corruptions"] is None


def test_an_adapted_network_does_not_pass_for_a_trained_one(home: Store, result: TransferResult) -> None:
    name = row_of(result, adapt="shot")["registered_model"]
    params = home.client.get_logged_model(str(resolve_reference(home, "uci-cnn_norm").model_id)).params
    recipe = {key: params[key] for key in ("epochs", "seed", "learning_rate")}
    assert version_trained_with(home, "uci-cnn_norm", recipe) is not None
    assert version_trained_with(home, name, recipe) is None
    assert resolve_reference(home, "cnn_norm").dataset == "uci"


def test_networks_and_targets_that_could_not_be_told_apart(home: Store, elsewhere: str, tmp_path: Path) -> None:
    namesake = tmp_path / Path(elsewhere).name
    shutil.copytree(elsewhere, namesake)
    with pytest.raises(UsageError, match="two of the targets have the name"):
        transfer(home, ["mlp_small"], TransferOptions((elsewhere, str(namesake))))
    once = transfer(home, ["mlp_small", "uci-mlp_small"], TransferOptions((elsewhere,)))
    assert len(once.to_json()["results"]) == 1


def test_what_a_bare_file_is_cannot_be_registered(home: Store, elsewhere: str, tmp_path: Path) -> None:
    load_network(home, resolve_reference(home, "mlp_small")).save(tmp_path / "bare.keras")
    options = TransferOptions((elsewhere,), ("self-training",), register=True)
    with pytest.raises(UsageError, match="name a registered model"):
        transfer(home, [str(tmp_path / "bare.keras")], options)


def test_all_is_in_the_run_and_in_one_run_a_method(home: Store, result: TransferResult) -> None:
    run = home.client.get_run(result.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.tags["digits.kind"] == "transfer"
    assert run.data.tags["mlflow.parentRunId"] == resolve_reference(home, "cnn_norm").run_id
    assert run.data.metrics["accuracy"] == pytest.approx(row_of(result, adapt="none")["accuracy"])
    figures = {"confusion", "misclassified", "reliability", "map", "class_changes", "alignment", "adaptation", "shift"}
    expected = {f"figures/{name}.png" for name in (*figures, "adaptation_curves", "few_shot")}
    assert expected <= files(home, result.run_id)
    assert {f"data/{name}.npz" for name in figures} <= files(home, result.run_id)
    tables = {"predictions.csv", "confused_pairs.csv", "results.csv", "discussion.json", "discussion.md"}
    assert tables <= files(home, result.run_id)
    children = home.client.search_runs([home.experiment_id], f"tags.`mlflow.parentRunId` = '{result.run_id}'")
    adapted = {child.data.params["adapt"]: child for child in children if "adapt" in child.data.params}
    assert adapted.keys() == set(METHODS)
    for method, child in adapted.items():
        assert child.info.status == "FINISHED"
        assert child.data.metrics["accuracy"] == pytest.approx(row_of(result, adapt=method)["accuracy"])
        assert child.data.metrics["accuracy_before"] == pytest.approx(row_of(result, adapt="none")["accuracy"])
    assert len(home.client.get_metric_history(adapted["shot"].info.run_id, "entropy")) == 3


def test_adapted_networks_are_registered_with_where_they_come_from(home: Store, result: TransferResult) -> None:
    for method in METHODS:
        row = row_of(result, adapt=method)
        assert row["registered_model"] == f"{row['target']}-cnn_norm"
        reference = resolve_reference(home, f"models:/{row['registered_model']}/{row['version']}")
        assert load_network(home, reference).output_shape == (None, 10)
        params = home.client.get_logged_model(str(reference.model_id)).params
        assert (params["adapted_from"], params["adaptation"]) == ("uci-cnn_norm v1", method)
        assert (params["dataset"], reference.data) == (row["target"], params["data"])


def test_a_registered_network_is_the_one_that_was_measured(home: Store, result: TransferResult, elsewhere: str) -> None:
    row = row_of(result, adapt="shot")
    network = load_network(home, resolve_reference(home, f"models:/{row['registered_model']}/{row['version']}"))
    test = datasets.load(elsewhere).test
    accuracy = (predict(network, test).argmax(axis=1) == test.labels).mean()
    assert row["accuracy"] == pytest.approx(accuracy)


def test_few_labelled_digits_bring_what_the_table_says(result: TransferResult) -> None:
    one, everything = result.to_json()["few_shot"]
    assert (one["per_class"], one["digits"]) == (1, 10)
    assert (everything["per_class"], everything["digits"]) == (None, 300)
    assert len(one["fine_tuned"]) == len(one["scratch"]) == 2
    assert np.mean(everything["scratch"]) > np.mean(one["scratch"])
    assert np.mean(one["fine_tuned"]) > np.mean(one["scratch"])


def test_nothing_is_computed_twice(
    home: Store, result: TransferResult, elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("cached")

    monkeypatch.setattr("experiments.execution.cache._write", refuse)
    options = TransferOptions((elsewhere,), ("align", *METHODS), few_shot=(1, None))
    again = transfer(home, ["cnn_norm"], options)
    for row, before in zip(again.to_json()["results"], result.to_json()["results"], strict=True):
        assert (row["adapt"], row["accuracy"]) == (before["adapt"], before["accuracy"])


def test_the_recorded_table_holds_every_number(home: Store, result: TransferResult) -> None:
    table = results_table(home, result.run_id)
    assert results.to_csv(table) == results.to_csv(result.tasks[0].table)
    shown = home.client.get_run(result.run_id).data.metrics
    aligned = row_of(result, adapt="align")
    (few,) = (row for row in result.to_json()["few_shot"] if row["per_class"] == 1)
    expected = {
        "accuracy": row_of(result, adapt="none")["accuracy"],
        "accuracy_low": row_of(result, adapt="none")["accuracy_low"],
        "accuracy/align": aligned["accuracy"],
        **{f"accuracy/align/{one['alignment']}": one["accuracy"] for one in aligned["ladder"]},
        **{f"accuracy/{method}": row_of(result, adapt=method)["accuracy"] for method in METHODS},
        **{f"seconds/{method}": row_of(result, adapt=method)["seconds"] for method in METHODS},
        "accuracy/fine_tuned/1": np.mean(few["fine_tuned"]),
        "mmd": row_of(result, adapt="none")["shift"]["mmd"],
    }
    assert {name: shown[name] for name in expected} == pytest.approx(expected)


def test_a_new_method_is_one_registry_entry(home: Store, elsewhere: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def identity(model: Any, *_: Any) -> Adapted:
        return Adapted(model, {"entropy": (0.5, 0.4)}, 1.0)

    toy = Adaptation("toy", "Toy", "nothing", identity, {"rate": 0.5}, "epoch", 9)
    monkeypatch.setitem(ADAPTATIONS, "toy", toy)
    found = transfer(home, ["mlp_small"], TransferOptions((elsewhere,), ("toy",)))
    assert row_of(found, adapt="toy")["accuracy"] == row_of(found, adapt="none")["accuracy"]
    assert home.client.get_run(found.run_id).data.metrics["seconds/toy"] == 1.0


def test_alignment_trains_nothing_unasked(home: Store, elsewhere: str) -> None:
    found = transfer(home, ["mlp_small"], TransferOptions((elsewhere,), ("align",))).to_json()
    assert [one["alignment"] for one in found["results"][1]["ladder"]] == ["resize", "frame", "centre", "box"]
    (skipped,) = found["skipped"]
    assert skipped["adapt"] == "deskew"
    assert "--retrain" in skipped["reason"]


def test_the_call_chain_to_a_fit_is_short(home: Store, elsewhere: str, monkeypatch: pytest.MonkeyPatch) -> None:
    chains = []

    def fit(architecture: Any, recipe: Any, *_: Any) -> Any:
        frame, names = sys._getframe(), []
        while frame := frame.f_back:  # type: ignore[assignment]
            if frame.f_globals.get("__name__", "").partition(".")[0] in ("experiments", "digits_cli"):
                names.append(frame.f_code.co_name)
        chains.append(names)
        return type("Fit", (), {"model": architecture.build(recipe)})

    monkeypatch.setattr("experiments.transfer.few_shot.fit", fit)
    monkeypatch.setattr("experiments.workflows.transfer.pipeline.SEEDS", 1)
    transfer(home, ["mlp_small"], TransferOptions((elsewhere,), few_shot=(3,)))
    assert chains[0] == ["learn", "get_or_compute", "measure_task", "transfer"]  # and fit, and the command


def test_several_networks_and_domains_are_compared_in_a_run_of_their_own(
    home: Store, compared: TransferResult, elsewhere: str
) -> None:
    names = {"uci-mlp_small v1", "uci-cnn_norm v1"}
    targets = {"uci-c", datasets.load(elsewhere).name}
    assert {(row["model"], row["target"]) for row in compared.to_json()["results"]} == {
        (m, t) for m in names for t in targets
    }
    assert compared.run_id not in {row["run_id"] for row in compared.to_json()["results"]}
    assert "figures/matrix.png" in files(home, compared.run_id)
    assert "figures/uci-c/corruptions.png" in files(home, compared.run_id)
    assert json.loads(text(home, compared.run_id, "transfers.json")) == [task.run_id for task in compared.tasks]
    for row in compared.to_json()["results"]:
        about = {"version": row["model"], "target": row["target"], "method": "none"}
        assert results.value(results_table(home, compared.run_id), "accuracy", **about) == row["accuracy"]


def test_corruptions_have_an_accuracy_each_and_an_error_relative_to_the_small_mlp(
    home: Store, compared: TransferResult
) -> None:
    rows = [row for row in compared.to_json()["results"] if row["target"] == "uci-c" and row["adapt"] == "none"]
    corrupted = datasets.load("uci-c").test
    for row in rows:
        network = load_network(home, resolve_reference(home, row["model"].replace("uci-", "").split()[0]))
        right = (predict(network, corrupted).argmax(axis=1) == corrupted.labels).reshape(len(CORRUPTIONS), -1)
        table = results.select(results_table(home, row["run_id"]), metric="accuracy", group=[*CORRUPTIONS])
        assert table["value"].tolist() == pytest.approx(right.mean(axis=1))
        assert row["accuracy"] == pytest.approx(right.mean())
        independent = 2 * 1.96 * np.sqrt(right.mean() * (1 - right.mean()) / right.size)
        assert row["accuracy_high"] - row["accuracy_low"] > independent
    errors = [home.client.get_run(row["run_id"]).data.metrics["mean_corruption_error"] for row in rows]
    assert errors[0] == pytest.approx(1)
    assert errors[1] != pytest.approx(1)


class Ear(Progress):
    """Remembers what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def log(self, text: str) -> None:
        self.said.append(text)


def test_a_method_that_does_not_apply_is_told_and_left_out(home: Store, elsewhere: str) -> None:
    ear = Ear()
    result = transfer(home, ["mlp_small"], TransferOptions((elsewhere,), ("tent",)), ear)
    assert [row["adapt"] for row in result.to_json()["results"]] == ["none"]
    assert any("tent is skipped for uci-mlp_small v1: it has no batch normalization" in line for line in ear.said)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"targets": ()}, "at least one target"),
        ({"targets": ("usps",), "adapt": ("shoot",)}, "did you mean shot"),
        ({"targets": ("usps",), "few_shot": (0,)}, "at least 1 labeled image"),
        ({"targets": ("usps",), "seed": -1}, "received -1"),
        ({"targets": ("usps",), "register": True}, "choose a method"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        TransferOptions(**options)


def test_a_network_s_own_data_is_no_new_domain(home: Store) -> None:
    with pytest.raises(UsageError, match="digits evaluate"):
        transfer(home, ["mlp_small"], TransferOptions(("uci",)))
