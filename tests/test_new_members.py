"""The guide's network, adaptation method and figure, added as it says, work in every command."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs/howto.md").read_text(encoding="utf-8")
SETTINGS = ["--epochs", "1", "--limit", "300", "--set", "batch_size=32", "--set", "precision=float32"]

pytestmark = pytest.mark.slow


def example(first_line: str) -> str:
    """Return the code block of the guide that starts with a line."""
    blocks: list[str] = re.findall(r"```python\n(.*?)```", GUIDE, flags=re.DOTALL)
    return next(block for block in blocks if block.startswith(first_line))


def line(start: str) -> str:
    """Return the line of code in the text of the guide that starts with a text."""
    codes: list[str] = re.findall("`([^`\n]+)`", GUIDE)
    return next(code for code in codes if code.startswith(start))


def insert(file: Path, anchor: str, inserted: str) -> None:
    """Insert a line before the first line that contains the anchor."""
    text = file.read_text(encoding="utf-8")
    place = text.rindex("\n", 0, text.index(anchor)) + 1
    file.write_text(f"{text[:place]}{inserted}\n{text[place:]}", encoding="utf-8")


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
    imported = "from experiments.transfer.adaptation.prior import PRIOR"
    insert(registry, "from experiments.transfer.adaptation.self_training", imported)
    registry.write_text(registry.read_text().replace("(ADABN,", "(PRIOR, ADABN,"))
    add_figure(folder)
    return folder


def add_figure(folder: Path) -> None:
    """Add the figure of the guide, its example and its caption."""
    reporting, examples = folder / "experiments/reporting", folder / "tests/reporting/figures"
    shutil.copytree(ROOT / "tests/reporting/figures", examples, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    (reporting / "figures/recall_bars.py").write_text(example('"""Recall of each digit'), encoding="utf-8")
    imported = "from experiments.reporting.figures.recall_bars import recall_bars"
    insert(reporting / "figures/__init__.py", "from experiments.reporting.figures.reliability_diagram", imported)
    insert(reporting / "figures/__init__.py", '    "reliability_diagram"', '    "recall_bars": recall_bars,')
    insert(examples / "examples.py", '    "reliability_diagram"', line('"recall_bars"'))
    recorded = reporting / "recorded/evaluation.py"
    insert(recorded, "from experiments.reporting.figures.reliability_diagram", imported)
    insert(recorded, '        "reliability"', line('"recall": Drawing'))
    insert(reporting / "page/captions.py", '    "adaptation_curves"', line('"recall": "{}'))


PROGRAM = """
import json, sys
from typer.testing import CliRunner
from digits_cli.main import build_app, main
from experiments.workflows.suite.profiles import FULL
from experiments.workflows.train.many import AllOptions

facts = {
    "suite": [training.dataset for training in FULL.trainings if training.model == "allconv"],
    "all": list(AllOptions("uci").networks),
    "help": CliRunner().invoke(build_app(), ["transfer", "--help"]).stdout,
}
print(json.dumps(facts))
for words in json.loads(sys.argv[1]):
    try:
        main(words)
    except SystemExit as end:
        if end.code:
            raise
"""


def test_they_are_trained_evaluated_transferred_and_reported(project: Path, empty_database: Path) -> None:
    shutil.copy(empty_database, project / "mlflow.db")
    environment = {**os.environ, "PYTHONPATH": str(project), "DIGITS_HOME": str(project), "COLUMNS": "200"}
    environment["MLFLOW_TRACKING_URI"] = f"sqlite:///{project}/mlflow.db"
    commands = [
        ["models"],
        ["train", "allconv", "--dataset", "uci", *SETTINGS],
        ["evaluate", "--model", "allconv"],
        ["transfer", "--model", "allconv", "--target", "uci-c", "--adapt", "prior"],
        ["report", "--output", "report"],
    ]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps([[*words, "--json"] for words in commands])],
        check=False, cwd=project, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    facts, models, trained, evaluated, transferred, _ = map(json.loads, done.stdout.splitlines())
    assert facts["suite"] == ["mnist"]
    assert "allconv" in facts["all"]
    assert "prior" in facts["help"]
    assert "allconv" in {model["name"] for model in models}
    assert (trained["model"], trained["registered_model"]) == ("allconv", "uci-allconv")
    assert evaluated["models"]["allconv"]["n"] == 359
    results = transferred["results"]
    assert [row["adapt"] for row in results] == ["none", "prior"]
    assert results[0]["accuracy"] != results[1]["accuracy"]
    assert (project / "report/figures/uci-allconv-to-uci-c-adaptation_curves.png").is_file()
    report = json.loads((project / "report/results.json").read_text(encoding="utf-8"))
    columns = {table["name"]: [column["key"] for column in table["columns"]] for table in report["tables"]}
    assert "prior" in columns["transfer-uci-uci-c"]
    for run_id in (evaluated["run_id"], transferred["run_id"]):
        assert [*project.glob(f"mlruns/**/{run_id}/artifacts/**/figures/recall.png")], run_id
    assert (project / "report/figures/uci-allconv-to-uci-c-recall.png").is_file()
    assert "uci-c: recall of each digit" in (project / "report/index.html").read_text(encoding="utf-8")


def test_the_figure_passes_the_tests_of_all_figures(project: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-n", "0", "-q", "-k", "recall_bars"]
    tests = "tests/reporting/figures/test_every_figure.py"
    environment = {**os.environ, "PYTHONPATH": str(project)}
    done = subprocess.run([*command, tests], check=False, cwd=project, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
