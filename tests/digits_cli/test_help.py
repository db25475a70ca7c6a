"""What `digits --help` says, and how soon."""

import re
import subprocess
import sys
from importlib.metadata import packages_distributions, requires
from typing import Any, cast

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from typer.main import get_command
from typer.testing import CliRunner

from digits_cli.main import build_app, main
from experiments.models import MODELS, trained_by
from experiments.workflows.suite.profiles import PROFILES

DATA_COMMANDS = ("data list", "data fetch", "data show")
COMMANDS = ("models", "tune", "train", "evaluate", "analyze", "transfer", "report", "run", "ui", *DATA_COMMANDS)
LIGHT = {"numpy", "typer", "rich", "markdown_it"}  # dependencies that `digits --help` may import


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def help_of(*words: str) -> str:
    shown = CliRunner().invoke(build_app(), [*words, "--help"], prog_name="digits")
    assert shown.exit_code == 0
    return shown.stdout


def test_help_and_version_import_no_heavy_dependency() -> None:
    code = """
import sys
from digits_cli.main import main
for option in ("--help", "--version"):
    try:
        main([option])
    except SystemExit as end:
        assert not end.code
print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
"""
    direct = {canonicalize_name(Requirement(text).name) for text in requires("digits") or ()} - {"digits"}
    heavy = {
        module
        for module, owners in packages_distributions().items()
        if {canonicalize_name(owner) for owner in owners} & direct and module not in LIGHT
    }
    assert heavy >= {"tensorflow", "keras", "mlflow", "sklearn", "matplotlib", "pandas", "scipy", "optuna"}
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert heavy & {*shown.stderr.split()} == set()
    assert "Usage: digits" in shown.stdout
    assert "digits 0.1.0\n" in shown.stdout


def test_help_lists_the_commands_there_are_and_no_others() -> None:
    box = help_of().partition("Commands")[2]
    listed = [line.split()[1] for line in box.splitlines() if line.startswith("│ ") and line[2] != " "]
    assert sorted(listed) == sorted({words.partition(" ")[0] for words in COMMANDS})


@pytest.mark.parametrize("words", COMMANDS)
def test_each_command_has_an_example_and_takes_json_and_debug(words: str) -> None:
    shown, command = help_of(*words.split()), cast("Any", get_command(build_app()))
    assert f"Usage: digits {words}" in shown
    assert "Example: digits " in shown
    for word in words.split():
        command = command.commands[word]
    assert not re.search(r"\S\n\S", command.help)  # a line break in a paragraph would stay on narrow terminals
    assert {"as_json", "debug"} <= {parameter.name for parameter in command.params}


def test_no_command_shows_the_help_with_the_code_of_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([])
    assert end.value.code == 2
    assert "Usage" in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("digits train le", ["lenet"]),
        ("digits tune mlp_", ["mlp_small"]),
        ("digits evaluate --model res", ["resnet"]),
        ("digits run --also alexnet2", ["alexnet227"]),
        ("digits run --profile qu", ["quick"]),
    ],
)
def test_a_shell_completes_names(
    words: str, expected: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_DIGITS_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    with pytest.raises(SystemExit):
        main([])
    assert capsys.readouterr().out.split() == expected


def test_help_names_what_can_be_chosen() -> None:
    shown = help_of("run")
    assert "|".join(PROFILES) in shown
    assert not [line for line in shown.splitlines() if "<bool>" in line and "--help" not in line]
    left_out = [name for name in MODELS if name not in trained_by("full")]
    assert left_out
    assert ", ".join(left_out) in help_of("train")
