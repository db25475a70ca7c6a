"""Models in new domains: results, MLflow runs, caching, interruption and errors."""

import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from math import isnan
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from conftest import Trained, point_to
from fake_fit import FakeFit
from idx_writer import put_idx
from keras import layers
from numpy.typing import NDArray
from picture_writer import put_digits
from run_files import artifacts
from sklearn.metrics import accuracy_score, f1_score
from stand_ins import ProgressLog

from experiments import datasets, results
from experiments.datasets.corruptions import CORRUPTIONS
from experiments.errors import UsageError
from experiments.models import IMAGE_SHAPE, MODELS, Architecture, Recipe
from experiments.models.layers import classifier
from experiments.models.prediction import predict
from experiments.results import VAL_ACCURACY
from experiments.tracking import Store, load_network, open_store, resolve_reference, results_table
from experiments.tracking.references import version_trained_with
from experiments.transfer.adaptation import ADAPTATIONS, Adaptation
from experiments.transfer.adaptation.adaptation import Adapted
from experiments.workflows.train.run import TrainOptions, train
from experiments.workflows.transfer import TransferOptions, TransferResult, transfer

METHODS = ("adabn", "tent", "shot", "self-training")
UCI = datasets.load("uci")
SETTINGS = {"epochs": 3, "batch_size": 32, "precision": "float32", "learning_rate": 0.01}


def build(_: Recipe) -> keras.Model:
    """Build a small network with batch norm."""
    inputs = keras.Input(IMAGE_SHAPE)
    x = layers.BatchNormalization()(layers.Dense(16)(layers.Flatten()(inputs)))
    return keras.Model(inputs, classifier(layers.Activation("relu", name="penultimate")(x)))


NORMED = Architecture("normed", summary="", source="", build=build, parameters=12_794)


@pytest.fixture(scope="module")
def home(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Return a store with a network with batch norm; from then on few-shot learning and retraining train nothing."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copy(empty_database, folder / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        point_to(folder, patch)
        patch.setitem(MODELS, "normed", NORMED)
        for name in ("shot", "self-training"):
            method = ADAPTATIONS[name]
            patch.setitem(ADAPTATIONS, name, replace(method, adapt=partial(method.adapt, epochs=2)))
        train(store := open_store(), TrainOptions("normed", "uci", settings=SETTINGS))
        patch.setattr("experiments.workflows.train.run.fit", FakeFit())
        patch.setattr("experiments.transfer.few_shot.fit", FakeFit())
        patch.setattr("experiments.workflows.transfer.pipeline.SEEDS", 2)
        yield store


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a folder with the digits of ``uci``, leaning and of another size."""
    folder = tmp_path_factory.mktemp("elsewhere")
    for part, split, n in (("train", UCI.train, 300), ("t10k", UCI.test, 200)):
        chosen = split.take(range(n))
        leaning = np.stack([np.roll(chosen.images[:, row], (14 - row) // 3, axis=1) for row in range(28)], axis=1)
        put_idx(folder / f"{part}-images-idx3-ubyte", np.pad(leaning, ((0, 0), (2, 2), (4, 4))))
        put_idx(folder / f"{part}-labels-idx1-ubyte", chosen.labels.astype(np.uint8))
    return str(folder)


@pytest.fixture(scope="module")
def result(home: Store, elsewhere: str) -> TransferResult:
    """Return a network with batch norm after all that can be done for it."""
    options = TransferOptions((elsewhere,), ("align", *METHODS), few_shot=(1, None), register=True, retrain=True)
    return transfer(home, ["normed"], options)


def predictions(store: Store, run_id: str) -> list[dict[str, str]]:
    return list(csv.DictReader((artifacts(store, run_id) / "predictions.csv").read_text().splitlines()))


def row_of(result: TransferResult, **wanted: str) -> Any:
    (row,) = [row for row in result.to_json()["results"] if wanted.items() <= row.items()]
    return row


@pytest.mark.slow
class TestAllThatCanBeDone:
    """One network in one domain: every method, few-shot learning, all alignments, registered."""

    def test_each_method_has_a_row_with_the_promised_keys(self, result: TransferResult) -> None:
        value = json.loads(json.dumps(result.to_json(), allow_nan=False))
        assert [row["adapt"] for row in value["results"]] == ["none", "align", *METHODS]
        for row in value["results"]:
            assert row.keys() >= {"model", "source", "target", "adapt", "accuracy", "n", "seconds"}
            assert (row["model"], row["source"], row["n"]) == ("uci-normed v1", "uci", 200)
            assert row["accuracy_low"] <= row["accuracy"] <= row["accuracy_high"]

    def test_the_numbers_are_scikit_learn_s(self, home: Store, result: TransferResult, elsewhere: str) -> None:
        test = datasets.load(elsewhere).test
        predicted = predict(load_network(home, resolve_reference(home, "uci-normed")), test).argmax(axis=1)
        plain = row_of(result, adapt="none")
        assert plain["accuracy"] == pytest.approx(accuracy_score(test.labels, predicted))
        assert plain["macro_f1"] == pytest.approx(f1_score(test.labels, predicted, average="macro"))
        assert [int(row["predicted"]) for row in predictions(home, result.run_id)] == predicted.tolist()
        confusion = np.array(plain["confusion"])
        assert confusion.trace() / confusion.sum() == pytest.approx(plain["accuracy"])
        assert confusion.sum(axis=1).tolist() == np.bincount(test.labels, minlength=10).tolist()
        assert confusion.sum(axis=0).tolist() == plain["predicted"]
        assert plain["confused_pairs"][0]["count"] == (confusion - np.diag(confusion.diagonal())).max()
        assert plain["shift"]["mmd"] > plain["shift"]["mmd_chance"]
        assert plain["corruptions"] is None

    def test_the_last_alignments_are_of_a_network_trained_on_deskewed_digits(
        self, home: Store, result: TransferResult
    ) -> None:
        aligned = row_of(result, adapt="align")
        found = {one["alignment"]: one for one in aligned["ladder"]}
        assert list(found) == ["resize", "frame", "centre", "box", "deskew", "stroke"]
        assert [name for name in found if found[name]["network"] != "uci-normed v1"] == ["deskew", "stroke"]
        assert resolve_reference(home, "uci-deskewed-normed").dataset == "uci-deskewed"
        assert (aligned["alignment"], aligned["accuracy"]) == ("deskew", found["deskew"]["accuracy"])
        assert found["box"]["accuracy"] == row_of(result, adapt="none")["accuracy"]
        assert not any(isnan(one["entropy_unlabelled"]) for one in found.values())

    def test_all_is_in_the_run_and_in_one_run_a_method(self, home: Store, result: TransferResult) -> None:
        run = home.client.get_run(result.run_id)
        assert (run.info.status, run.data.tags["digits.kind"]) == ("FINISHED", "transfer")
        assert results.to_csv(results_table(home, result.run_id)) == results.to_csv(result.tasks[0].table)
        assert run.data.tags["mlflow.parentRunId"] == resolve_reference(home, "uci-normed").run_id
        drawn = {"confusion", "misclassified", "reliability", "map", "class_changes", "alignment", "adaptation"}
        drawn |= {"shift", "adaptation_curves", "few_shot"}
        tables = {"predictions.csv", "confused_pairs.csv", "results.csv", "discussion.json", "discussion.md"}
        pictures = {path for name in drawn for path in (f"figures/{name}.png", f"data/{name}.npz")}
        folder = artifacts(home, result.run_id)
        assert pictures | tables <= {str(path.relative_to(folder)) for path in folder.rglob("*")}
        children = home.client.search_runs([home.experiment_id], f"tags.`mlflow.parentRunId` = '{result.run_id}'")
        adapted = {child.data.params["adapt"]: child for child in children if "adapt" in child.data.params}
        assert adapted.keys() == set(METHODS)
        before = row_of(result, adapt="none")["accuracy"]
        assert run.data.metrics["accuracy"] == pytest.approx(before)
        for method, child in adapted.items():
            after, metrics = pytest.approx(row_of(result, adapt=method)["accuracy"]), child.data.metrics
            assert child.info.status == "FINISHED"
            assert (metrics["accuracy"], metrics["accuracy_before"]) == (after, pytest.approx(before))
            assert run.data.metrics[f"accuracy/{method}"] == after
        assert len(home.client.get_metric_history(adapted["shot"].info.run_id, "entropy")) == 3

    def test_few_shot_learning_is_measured_for_each_seed(self, result: TransferResult) -> None:
        accuracy = row_of(result, adapt="none")["accuracy"]  # nothing is trained: fine-tuning starts there and ends
        for row, about in zip(result.to_json()["few_shot"], [(1, 10), (None, 300)], strict=True):
            assert (row["per_class"], row["digits"]) == about
            assert row["fine_tuned"] == [accuracy, accuracy]
            assert len(row["scratch"]) == 2
            assert max(row["scratch"]) < accuracy

    def test_an_adapted_network_is_registered_as_such_and_is_the_one_measured(
        self, home: Store, result: TransferResult, elsewhere: str
    ) -> None:
        test = datasets.load(elsewhere).test
        for method in METHODS:
            row = row_of(result, adapt=method)
            assert row["registered_model"] == f"{row['target']}-normed"
            reference = resolve_reference(home, f"models:/{row['registered_model']}/{row['version']}")
            predicted = predict(load_network(home, reference), test).argmax(axis=1)
            assert row["accuracy"] == pytest.approx(accuracy_score(test.labels, predicted))
            params = home.client.get_logged_model(str(reference.model_id)).params
            assert (params["adapted_from"], params["adaptation"]) == ("uci-normed v1", method)
            assert (params["dataset"], reference.data) == (row["target"], params["data"])
        recipe = {key: params[key] for key in ("epochs", "seed", "learning_rate")}
        assert version_trained_with(home, "uci-normed", recipe) is not None
        assert version_trained_with(home, row["registered_model"], recipe) is None
        assert resolve_reference(home, "normed").dataset == "uci"

    @pytest.mark.usefixtures("no_figures")
    def test_nothing_is_computed_twice(
        self, home: Store, result: TransferResult, elsewhere: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise AssertionError("cached")

        monkeypatch.setattr("experiments.execution.cache._write", refuse)
        options = TransferOptions((elsewhere,), ("align", *METHODS), few_shot=(1, None))
        again = transfer(home, ["uci-normed"], options).to_json()
        before = result.to_json()
        for key in ("adapt", "accuracy", "seconds"):
            assert [row[key] for row in again["results"]] == [row[key] for row in before["results"]]
        assert again["few_shot"] == before["few_shot"]

    def test_pictures_without_labels_are_predicted_and_adapted_to(self, home: Store, tmp_path: Path) -> None:
        put_digits(tmp_path / "mine", np.roll(UCI.test.images[:60], (1, 2), (1, 2)))
        options = TransferOptions((str(tmp_path / "mine"),), ("align", "adabn"), few_shot=(1,), register=True)
        found = transfer(home, ["uci-normed"], options)
        value = json.loads(json.dumps(found.to_json(), allow_nan=False))
        assert [row["adapt"] for row in value["results"]] == ["none", "align", "adabn"]
        for row in value["results"]:
            assert row["n"] == 60
            assert {row[name] for name in ("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "ece")} == {None}
            assert row["source_accuracy"] > 0
        assert value["few_shot"] == []
        assert [one["adapt"] for one in value["skipped"]] == ["few-shot"]
        assert "accuracy" not in home.client.get_run(found.run_id).data.metrics
        rows = predictions(home, found.run_id)
        assert [row["file"] for row in rows] == [f"{number:04}.png" for number in range(60)]
        assert all(0 <= int(row["predicted"]) < 10 and 0 < float(row["probability"]) <= 1 for row in rows)
        figures = {path.stem for path in artifacts(home, found.run_id).glob("figures/*")}
        assert "adaptation_curves" in figures
        assert figures.isdisjoint({"confusion", "misclassified", "reliability"})
        row = value["results"][-1]
        assert row["registered_model"] == "mine-normed"
        version = home.client.get_model_version(row["registered_model"], str(row["version"]))
        assert VAL_ACCURACY not in version.tags


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """Return the names of the figures of each run, which are not drawn."""
    names: dict[str, set[str]] = {}
    log = lambda run, _, name: names.setdefault(run.id, set()).add(name)  # noqa: E731
    monkeypatch.setattr("experiments.tracking.Run.log_figure", log)
    monkeypatch.setattr("experiments.transfer.domain.CORRUPTED_EACH", 5)
    return names


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> list[NDArray[np.uint8]]:
    """Register a method that changes nothing; return the images that it is given. Its first call is interrupted."""
    images: list[NDArray[np.uint8]] = []

    def identity(model: Any, unlabelled: NDArray[np.uint8], seed: int, on_step: Any) -> Adapted:
        images.append(unlabelled)
        on_step(1, seed)
        if len(images) == 1:
            raise KeyboardInterrupt
        return Adapted(model, {"entropy": (0.5, 0.4)}, 1.0)

    monkeypatch.setitem(ADAPTATIONS, "toy", Adaptation("toy", "Toy", "nothing", identity, {"rate": 0.5}, "epoch", 9))
    return images


def test_an_interrupted_transfer_resumes_in_its_run(
    trained: Trained, elsewhere: str, figures: dict[str, set[str]], toy: list[NDArray[np.uint8]]
) -> None:
    store, options = trained.store, TransferOptions((elsewhere,), ("toy",), seed=7)
    with pytest.raises(KeyboardInterrupt):
        transfer(store, ["mlp_small"], options)
    of_transfers = "attributes.status = 'KILLED' and tags.`digits.kind` = 'transfer'"
    (killed,) = store.client.search_runs([store.experiment_id], of_transfers)
    found = transfer(store, ["mlp_small"], options)
    assert found.run_id == killed.info.run_id
    run = store.client.get_run(found.run_id)
    assert (run.info.status, run.data.metrics["seconds/toy"]) == ("FINISHED", 1.0)
    assert figures[found.run_id] >= {"confusion", "shift", "map", "adaptation"}
    # The method is in the registry alone, and is given the training images without their labels.
    assert row_of(found, adapt="toy")["accuracy"] == row_of(found, adapt="none")["accuracy"]
    for images in toy:
        np.testing.assert_array_equal(images, datasets.load(elsewhere).train.images)


def test_alignment_trains_nothing_unasked_and_changes_nothing_of_aligned_pictures(
    trained: Trained, elsewhere: str, figures: dict[str, set[str]]
) -> None:
    found = transfer(trained.store, ["mlp_small"], TransferOptions((elsewhere,), ("align",)))
    aligned = row_of(found, adapt="align")
    assert [one["alignment"] for one in aligned["ladder"]] == ["resize", "frame", "centre", "box"]
    assert aligned["accuracy"] == row_of(found, adapt="none")["accuracy"]
    (skipped,) = found.to_json()["skipped"]
    assert skipped["adapt"] == "deskew"
    assert "--retrain" in skipped["reason"]
    assert "alignment" in figures[found.run_id]
    assert "adaptation" not in figures[found.run_id]


@pytest.mark.slow
@pytest.mark.usefixtures("no_shift")
def test_several_networks_and_domains_are_compared_in_a_run_of_their_own(
    trained: Trained, elsewhere: str, figures: dict[str, set[str]]
) -> None:
    store, corrupted = trained.store, datasets.load("uci-c").test
    found = transfer(store, ["mlp_small", "lenet"], TransferOptions(("uci-c", elsewhere)))
    rows = found.to_json()["results"]
    names, targets = ("uci-mlp_small v1", "uci-lenet v1"), ("uci-c", datasets.load(elsewhere).name)
    assert [(row["model"], row["target"]) for row in rows] == [(name, target) for name in names for target in targets]
    assert found.run_id not in {row["run_id"] for row in rows}
    assert figures[found.run_id] >= {"matrix", "uci-c/corruptions"}
    assert json.loads((artifacts(store, found.run_id) / "transfers.json").read_text()) == [
        task.run_id for task in found.tasks
    ]
    for row in rows:
        about = {"version": row["model"], "target": row["target"], "method": "none"}
        assert results.value(results_table(store, found.run_id), "accuracy", **about) == row["accuracy"]
    errors = []
    for row, name in zip(rows[::2], ("mlp_small", "lenet"), strict=True):
        predicted = predict(load_network(store, resolve_reference(store, name)), corrupted).argmax(axis=1)
        right = (predicted == corrupted.labels).reshape(len(CORRUPTIONS), -1)
        table = results.select(results_table(store, row["run_id"]), metric="accuracy", group=[*CORRUPTIONS])
        assert table["value"].tolist() == pytest.approx(right.mean(axis=1))
        assert row["accuracy"] == pytest.approx(right.mean())
        independent = 2 * 1.96 * np.sqrt(right.mean() * (1 - right.mean()) / right.size)
        assert row["accuracy_high"] - row["accuracy_low"] > independent
        errors.append(store.client.get_run(row["run_id"]).data.metrics["mean_corruption_error"])
    assert errors[0] == pytest.approx(1)  # relative to the small perceptron
    assert errors[1] != pytest.approx(1)


@pytest.mark.usefixtures("figures")
def test_a_model_that_is_named_twice_is_measured_once_and_without_methods_that_do_not_apply(
    trained: Trained, elsewhere: str
) -> None:
    log = ProgressLog()
    result = transfer(trained.store, ["mlp_small", "uci-mlp_small"], TransferOptions((elsewhere,), ("tent",)), log)
    assert [row["adapt"] for row in result.to_json()["results"]] == ["none"]
    assert [one["adapt"] for one in result.to_json()["skipped"]] == ["tent"]
    assert any("tent" in line and "uci-mlp_small v1" in line for line in log.lines)


def test_targets_of_the_same_name_and_files_to_register_are_refused(
    trained: Trained, elsewhere: str, tmp_path: Path
) -> None:
    namesake = shutil.copytree(elsewhere, tmp_path / Path(elsewhere).name)
    with pytest.raises(UsageError, match=f"targets .* {namesake.name}"):
        transfer(trained.store, ["mlp_small"], TransferOptions((elsewhere, str(namesake))))
    load_network(trained.store, resolve_reference(trained.store, "mlp_small")).save(tmp_path / "bare.keras")
    options = TransferOptions((elsewhere,), ("self-training",), register=True)
    with pytest.raises(UsageError, match=r"bare\.keras"):
        transfer(trained.store, [str(tmp_path / "bare.keras")], options)
