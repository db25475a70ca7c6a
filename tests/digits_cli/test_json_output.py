"""With --json: one JSON value on stdout, everything else on stderr, and the keys that scripts rely on."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from conftest import Digits, Trained
from fake_fit import FakeFit

from experiments.models import MODELS
from experiments.tracking import Store, log_model, open_run, register
from experiments.workflows.train.run import TrainOptions, TrainResult

Shown = Callable[[str], Any]
TRAIN_KEYS = {"run_id", "model", "dataset", "registered_model", "version", "epochs", "val_accuracy", "seconds"}


@pytest.fixture
def shown(digits: Digits) -> Shown:
    """Return a function that runs a command with --json and returns the value on stdout."""
    return lambda words: digits(words, "--json").value()


@pytest.mark.usefixtures("store", "no_figures")
def test_train(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    fit = FakeFit()
    monkeypatch.setattr("experiments.workflows.train.run.fit", fit)
    result = shown("train mlp_small --dataset uci --epochs 2 --set dropout=0.1 --batch-size 32 --seed 3")
    assert result.keys() >= TRAIN_KEYS
    assert (result["model"], result["dataset"], result["epochs"]) == ("mlp_small", "uci", 2)
    assert (result["registered_model"], result["version"]) == ("uci-mlp_small", 1)
    (recipe,) = fit.recipes
    assert (recipe.epochs, recipe.dropout, recipe.batch_size, recipe.seed) == (2, 0.1, 32, 3)


@pytest.mark.usefixtures("store")
def test_train_with_several_seeds(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    def trained(_store: object, options: TrainOptions, **_: object) -> TrainResult:
        seed = options.recipe.seed
        accuracy = {3: 0.91, 4: 0.95, 5: 0.93}[seed]
        named = (f"run-{seed}", "mlp_small", "uci", "uci-mlp_small", seed - 2)
        return TrainResult(*named, 10 + seed, accuracy, 1.0, 0.1, seed, seed == 4, "float32", seed)

    monkeypatch.setattr("experiments.workflows.train.many.train", trained)
    result = shown("train mlp_small --dataset uci --seeds 3-5")
    assert result.keys() >= TRAIN_KEYS
    best = {key: result[key] for key in ("version", "champion", "seed", "epochs", "best_epoch")}
    assert best == {"version": 2, "champion": True, "seed": 4, "epochs": 14, "best_epoch": 4}
    assert result["val_accuracy"] == pytest.approx(0.93)
    assert result["val_accuracy_std"] == pytest.approx(0.02)
    assert [(one["seed"], one["version"]) for one in result["seeds"]] == [(3, 1), (4, 2), (5, 3)]
    assert result["run_id"] not in {one["run_id"] for one in result["seeds"]}


@pytest.mark.usefixtures("store")
def test_a_seed_that_fails_leaves_the_steps_and_its_traceback(digits: Digits) -> None:
    said = digits("train mlp_small --dataset uci --limit 50 --batch-size 60 --seeds 0,1 --json --debug")
    assert said.code == 1
    steps = json.loads(said.out)["steps"]
    assert [(step["name"], step["status"]) for step in steps] == [("seed-0", "failed"), ("seed-1", "failed")]
    assert "batch_size" in steps[0]["error"]
    assert "UsageError: batch_size" in said.err


@pytest.mark.usefixtures("trained", "no_figures")
def test_evaluate(shown: Shown) -> None:
    result = shown("evaluate --model lenet --model uci-mlp_small --ensemble")
    assert result.keys() >= {"run_id", "dataset", "models", "misclassified_by_all", "pairs"}
    assert list(result["models"]) == ["lenet", "uci-mlp_small", "ensemble"]
    for metrics in result["models"].values():
        assert metrics.keys() >= {"accuracy", "loss", "n", "ece", "macro_f1", "latency_ms", "images_per_second"}
    assert result["models"]["ensemble"].keys() >= {"run_id", "members"}
    assert all(isinstance(index, int) for index in result["misclassified_by_all"])


def test_models(shown: Shown, trained: Trained) -> None:
    listed = {entry["name"]: entry for entry in shown("models")}
    assert list(listed) == list(MODELS)
    assert listed["lenet"]["parameters"] == 61_706
    (version,) = listed["lenet"]["versions"]
    assert version.items() >= {"registered_model": "uci-lenet", "version": 1, "aliases": ["champion"]}.items()
    assert version.items() >= {"dataset": "uci", "architecture": "lenet", "tuned": False, "parameters": 61_706}.items()
    assert trained.results["lenet"].champion
    assert listed["cnn"]["versions"] == []


def test_models_go_by_their_architecture_whatever_they_are_called(shown: Shown, store: Store) -> None:
    network = MODELS["lenet"].build(MODELS["lenet"].recipe)
    image = np.zeros((1, 28, 28, 1), np.float32)
    with open_run(store, "train", "lenet") as run:
        model_id = log_model(run, network, "uci-lenet", {"model": "lenet", "dataset": "uci"}, image)
        register(run, model_id, dataset="uci", architecture="lenet", score=0.9)
    store.client.rename_registered_model("uci-lenet", "favourite-cnn")
    versions = {entry["name"]: [one["registered_model"] for one in entry["versions"]] for entry in shown("models")}
    assert versions["lenet"] == ["favourite-cnn"]
    assert versions["cnn"] == []


def test_ui(digits: Digits, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def serve(*_: object) -> NoReturn:
        os.write(1, b"GET / 200\n")  # as the server that replaces the process does
        raise SystemExit(0)

    monkeypatch.setattr("experiments.tracking.ui.serve_ui", serve)
    said = digits("ui --port 5001 --json")
    assert json.loads(said.out) == {"url": "http://127.0.0.1:5001", "tracking_uri": store.uri}
    assert "GET / 200" in said.err
    runs = f"http://127.0.0.1:5001/#/experiments/{store.experiment_id}/runs?workflowType=machine_learning"
    assert f"runs: {runs}\n" in said.err


def test_data_list(shown: Shown, tmp_path: Path) -> None:
    listed = {entry["name"]: entry for entry in shown(f"data list --data-dir {tmp_path}")}
    assert listed["mnist"]["sizes"] == [60_000, 10_000]
    assert listed["usps"]["sizes"] == [7_291, 2_007]
    assert sum(listed["uci"]["sizes"]) == 1_797


@pytest.mark.usefixtures("store")
def test_data_show(shown: Shown, tmp_path: Path) -> None:
    result = shown(f"data show uci --output {tmp_path}")
    assert sum(map(sum, result["counts"].values())) == 1_797
    assert all(Path(file).is_file() for file in result["files"])
