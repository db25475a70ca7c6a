"""The guide's network and adaptation method, added by one file and one line each, work in every command."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs/howto.md").read_text(encoding="utf-8")
SETTINGS = ["--epochs", "1", "--limit", "300", "--set", "batch_size=32", "--set", "precision=float32"]

pytestmark = pytest.mark.slow


def example(first_line: str) -> str:
    """Return the code block of the guide that starts with a line."""
    blocks: list[str] = re.findall(r"```python\n(.*?)```", GUIDE, flags=re.DOTALL)
    return next(block for block in blocks if block.startswith(first_line))


def insert(file: Path, anchor: str, line: str) -> None:
    """Insert a line before the first line that contains the anchor."""
    text = file.read_text(encoding="utf-8")
    place = text.rindex("\n", 0, text.index(anchor)) + 1
    file.write_text(f"{text[:place]}{line}\n{text[place:]}", encoding="utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project with the members of the guide."""
    folder = tmp_path_factory.mktemp("project")
    for package in ("experiments", "digits_cli"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    models, methods = folder / "experiments/models", folder / "experiments/transfer/adaptation"
    (models / "allconv.py").write_text(example('"""A network of convolutions alone'), encoding="utf-8")
    insert(models / "__init__.py", "from experiments.models.alexnet ", "from experiments.models.allconv import ALLCONV")
    insert(models / "__init__.py", "        MLP_SMALL,", "        ALLCONV,")
    (methods / "prior.py").write_text(example('"""Uniform prior'), encoding="utf-8")
    registry = methods / "__init__.py"
    line = "from experiments.transfer.adaptation.prior import PRIOR"
    insert(registry, "from experiments.transfer.adaptation.self_training", line)
    registry.write_text(registry.read_text().replace("(ADABN,", "(PRIOR, ADABN,"))
    return folder


@pytest.fixture(scope="module")
def digits(project: Path, empty_database: Path) -> Any:
    """Return a function that runs a command in the copy and returns its output."""
    shutil.copy(empty_database, project / "mlflow.db")
    environment = {**os.environ, "PYTHONPATH": str(project), "DIGITS_HOME": str(project)}
    environment |= {"MLFLOW_TRACKING_URI": f"sqlite:///{project}/mlflow.db", "COLUMNS": "200"}

    def run(*words: str) -> str:
        command = [sys.executable, "-m", "digits_cli", *words]
        done = subprocess.run(command, check=False, cwd=project, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_help_and_lists_name_them(digits: Any) -> None:
    assert "allconv" in {model["name"] for model in json.loads(digits("models", "--json"))}
    assert "prior" in digits("transfer", "--help")


def test_they_are_trained_evaluated_transferred_and_reported(digits: Any, project: Path) -> None:
    trained = json.loads(digits("train", "allconv", "--dataset", "uci", *SETTINGS, "--json"))
    assert (trained["model"], trained["registered_model"]) == ("allconv", "uci-allconv")
    evaluated = json.loads(digits("evaluate", "--model", "allconv", "--json"))
    assert evaluated["models"]["allconv"]["n"] == 359
    target = ("--target", "uci-c", "--adapt", "prior", "--json")
    results = json.loads(digits("transfer", "--model", "allconv", *target))["results"]
    assert [row["adapt"] for row in results] == ["none", "prior"]
    assert results[0]["accuracy"] != results[1]["accuracy"]
    digits("report", "--output", str(project / "report"))
    assert (project / "report/figures/uci-allconv-to-uci-c-adaptation_curves.png").is_file()
    assert "accuracy/prior" in (project / "report/results.json").read_text(encoding="utf-8")
