"""What the project's own files promise: README, MLproject, the locked requirements, the continuous check."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version
from typer.main import get_command

from digits_cli.main import app, complete
from experiments.models import MODELS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
LOCK = (ROOT / "requirements.lock").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ENTRY_POINTS = yaml.safe_load((ROOT / "MLproject").read_text())["entry_points"]


def commands_in_readme() -> list[str]:
    """Return what follows `digits` on the lines of the README's code blocks."""
    blocks = re.findall(r"^```(?:sh|bash)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    lines = [line.partition(" #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line.removeprefix("digits ") for line in lines if line.startswith("digits ")]


def test_the_readme_names_commands() -> None:
    assert len(commands_in_readme()) >= 5


@pytest.mark.parametrize("line", commands_in_readme())
def test_every_command_in_the_readme_is_understood(line: str) -> None:
    command, words = get_command(app), line.split()
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    command.make_context("digits", complete(words))


def test_the_two_lines_of_the_readme_do_their_own_set_up() -> None:
    for end in ("bin/digits run --profile quick", "bin/pytest"):
        (line,) = [line for line in README.splitlines() if line.endswith(end)]
        assert line.startswith("python3 -m venv ")
        assert "-r requirements.lock" in line


def test_the_continuous_check_runs_the_test_line_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert "grep -m 1 'bin/pytest' README.md" in script
    first = next(line for line in README.splitlines() if "bin/pytest" in line)
    assert first.startswith("python3 -m venv ")


def test_the_table_of_networks_in_the_readme_is_the_real_one() -> None:
    for name, architecture in MODELS.items():
        assert re.search(rf"\| `{name}` \|.*\| {architecture.parameters:,} \|", README), name


def test_every_direct_dependency_is_locked_within_its_bounds() -> None:
    locked = dict(re.findall(r"^([a-z0-9.\-]+)==([^\s;\\]+)", LOCK, re.MULTILINE))
    extras = PROJECT["optional-dependencies"]
    for text in [*PROJECT["dependencies"], *(one for extra in extras.values() for one in extra)]:
        requirement = Requirement(text)
        if requirement.name == PROJECT["name"]:
            assert requirement.extras <= set(extras), text
            continue
        assert Version(locked[requirement.name.lower()]) in requirement.specifier, text


def test_every_locked_package_has_hashes_and_no_address() -> None:
    entries = re.split(r"\n(?=[a-z0-9])", LOCK)[1:]
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"https?://|file:|--index|--find-links", LOCK)


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_an_entry_point_has_the_defaults_of_its_command(name: str) -> None:
    words = ENTRY_POINTS[name]["command"].rpartition("digits_cli ")[2].split()
    given = ENTRY_POINTS[name]["parameters"]
    assert all("default" in parameter for parameter in given.values())
    command = get_command(app).commands[words[0]]  # type: ignore[attr-defined]
    filled = [word.format(**{key: parameter["default"] for key, parameter in given.items()}) for word in words[1:]]
    context = command.make_context(words[0], filled)
    for key, parameter in given.items():
        option = next(p for p in command.params if p.name == key)
        if not option.required:
            assert str(context.params[key]) == str(option.default) == str(parameter["default"])


def test_the_environment_of_mlflow_is_the_locked_one_in_the_running_python() -> None:
    environment = yaml.safe_load((ROOT / "python_env.yaml").read_text())
    assert "python" not in environment
    assert environment["dependencies"] == ["-r requirements.lock"]
