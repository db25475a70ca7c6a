"""What `digits --help` says, and how soon."""

import os
import re
import subprocess
import sys

import pytest
from typer.main import get_command

from digits_cli.main import app, main
from experiments.workflows.suite.profiles import PROFILES

HEAVY = ("tensorflow", "keras", "mlflow", "sklearn", "matplotlib", "pandas", "scipy", "optuna")
COMMANDS = ("data", "models", "tune", "train", "evaluate", "analyze", "transfer", "report", "run", "ui")


def digits(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "digits_cli", *words], capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.parametrize(("option", "text"), [("--help", "Usage: digits"), ("--version", "digits 0.1.0\n")])
def test_help_and_version_import_nothing_heavy(option: str, text: str) -> None:
    code = f"""
import sys
from digits_cli.main import main
try:
    main(["{option}"])
except SystemExit as end:
    assert not end.code
print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
"""
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stderr.strip() == "[]"
    assert text in shown.stdout


def test_help_takes_hardly_longer_than_to_import_its_libraries() -> None:
    def seconds(*arguments: str) -> float:
        """Return the processor time of a Python process, which does not depend on other processes as wall time does."""
        process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        return used.ru_utime + used.ru_stime

    libraries = "import numpy, typer.rich_utils, rich.markdown, rich.columns, rich.traceback"
    rounds = [(seconds("-m", "digits_cli", "--help"), seconds("-c", libraries)) for _ in range(5)]
    helps, imports = zip(*rounds, strict=True)
    assert min(helps) < 2 * min(imports)


def test_help_lists_the_commands_there_are_and_no_others() -> None:
    box = digits("--help").stdout.partition("Commands")[2]
    listed = [line.split()[1] for line in box.splitlines() if line.startswith("│ ") and line[2] != " "]
    assert sorted(listed) == sorted(COMMANDS)


@pytest.mark.parametrize(
    "words", [(name,) for name in COMMANDS] + [("data", "list"), ("data", "fetch"), ("data", "show")]
)
def test_each_command_explains_itself_with_an_example(words: tuple[str, ...]) -> None:
    shown = digits(*words, "--help")
    assert shown.returncode == 0
    assert f"Usage: digits {' '.join(words)}" in shown.stdout
    assert "Example: digits " in shown.stdout


@pytest.mark.parametrize("words", [*COMMANDS[1:], "data list", "data fetch", "data show"])
def test_paragraphs_of_help_are_one_line_each_for_a_line_break_would_stay_on_narrow_terminals(words: str) -> None:
    command = get_command(app)
    for word in words.split():
        command = command.commands[word]  # type: ignore[attr-defined]
    assert not re.search(r"\S\n\S", command.help or "")


@pytest.mark.parametrize("words", [*COMMANDS[1:], "data list", "data fetch", "data show"])
def test_each_command_takes_json_and_debug(words: str) -> None:
    command = get_command(app)
    for word in words.split():
        command = command.commands[word]  # type: ignore[attr-defined]
    assert {"as_json", "debug"} <= {parameter.name for parameter in command.params}


def test_no_command_shows_the_help_with_the_code_of_wrong_usage() -> None:
    shown = digits()
    assert shown.returncode == 2
    assert "Usage" in shown.stdout + shown.stderr


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


def test_help_names_what_can_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    shown = capsys.readouterr().out
    assert "|".join(PROFILES) in shown
    assert not [line for line in shown.splitlines() if "<bool>" in line and "--help" not in line]
