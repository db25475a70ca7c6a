"""With --json: one JSON value on stdout, everything else on stderr, and the keys that scripts rely on."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Trained

from digits_cli.main import main
from experiments.models import MODELS

Shown = Callable[..., Any]
TRAIN_KEYS = {"run_id", "model", "dataset", "registered_model", "version", "epochs", "val_accuracy", "seconds"}


@pytest.fixture
def shown(capfd: pytest.CaptureFixture[str]) -> Shown:
    """Return a function that runs a command with --json and returns the value on stdout."""

    def run(*words: str) -> Any:
        with pytest.raises(SystemExit) as end:
            main([*words, "--json"])
        said = capfd.readouterr()
        assert end.value.code == 0, said.err
        assert said.out.count("\n") == 1
        return json.loads(said.out)

    return run


@pytest.mark.usefixtures("store")
def test_train(shown: Shown) -> None:
    result = shown(*"train mlp_small --dataset uci --epochs 2 --set dropout=0.1 --batch-size 32".split())
    assert result.keys() >= TRAIN_KEYS
    assert (result["model"], result["dataset"], result["epochs"]) == ("mlp_small", "uci", 2)
    assert (result["registered_model"], result["version"]) == ("uci-mlp_small", 1)


@pytest.mark.usefixtures("store")
def test_train_with_several_seeds(shown: Shown) -> None:
    result = shown(*"train mlp_small --dataset uci --epochs 1 --batch-size 32 --seeds 3,4".split())
    assert result.keys() >= TRAIN_KEYS
    assert [one["seed"] for one in result["seeds"]] == [3, 4]
    assert result["val_accuracy_std"] >= 0


@pytest.mark.usefixtures("trained")
def test_evaluate(shown: Shown) -> None:
    result = shown("evaluate", "--model", "lenet", "--model", "uci-mlp_small")
    assert result.keys() >= {"run_id", "dataset", "models", "misclassified_by_all"}
    assert list(result["models"]) == ["lenet", "uci-mlp_small"]
    for metrics in result["models"].values():
        assert metrics.keys() >= {"accuracy", "loss", "n", "ece", "macro_f1"}
    assert all(isinstance(index, int) for index in result["misclassified_by_all"])


def test_models(shown: Shown, trained: Trained) -> None:
    listed = {entry["name"]: entry for entry in shown("models")}
    assert list(listed) == list(MODELS)
    assert listed["lenet"]["parameters"] == 61_706
    (version,) = listed["lenet"]["versions"]
    assert version == {"registered_model": "uci-lenet", "version": 1, "aliases": ["champion"], "dataset": "uci"}
    assert trained.results["lenet"].champion
    assert listed["cnn"]["versions"] == []


def test_data_list(shown: Shown, tmp_path: Path) -> None:
    listed = {entry["name"]: entry for entry in shown("data", "list", "--data-dir", str(tmp_path))}
    assert listed["mnist"]["sizes"] == [60_000, 10_000]
    assert listed["usps"]["sizes"] == [7_291, 2_007]
    assert sum(listed["uci"]["sizes"]) == 1_797


@pytest.mark.usefixtures("store")
def test_data_show(shown: Shown, tmp_path: Path) -> None:
    result = shown("data", "show", "uci", "--output", str(tmp_path))
    assert sum(map(sum, result["counts"].values())) == 1_797
    assert all(Path(file).is_file() for file in result["files"])


@pytest.mark.slow
@pytest.mark.usefixtures("store")
def test_run(shown: Shown) -> None:
    result = shown("run", "--profile", "quick")
    assert [step["name"] for step in result["steps"]] == ["train mlp_small", "train lenet", "train cnn", "evaluate"]
    for step in result["steps"]:
        assert step.keys() >= {"name", "status", "seconds", "run_id"}
        assert step["status"] == "done"
    compared = result["steps"][-1]["result"]["models"]
    assert all(metrics["accuracy"] > 0.9 for metrics in compared.values())
