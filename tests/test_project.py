"""What the project's own files promise: documents, MLproject, the locked requirements, the continuous check."""

import ast
import re
import shlex
import tomllib
from collections import Counter
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version
from typer.main import get_command

from digits_cli.main import build_app, complete
from experiments.models import MODELS
from experiments.tuning import ENGINES, PRUNERS, samplers_of

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
LOCKS = {name: (ROOT / name).read_text() for name in ("requirements.lock", "requirements-dev.lock")}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ENTRY_POINTS = yaml.safe_load((ROOT / "MLproject").read_text())["entry_points"]
DOCUMENTS = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "benchmarks" / "README.md")
}


def blocks(text: str, language: str) -> list[str]:
    """Return the code blocks of a document in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands_in(text: str) -> list[str]:
    """Return what follows `digits` on the lines of a document's code blocks."""
    lines = [line.partition(" #")[0].strip() for block in blocks(text, "(?:sh|bash)") for line in block.splitlines()]
    return [line.removeprefix("digits ") for line in lines if line.startswith("digits ")]


def found(words: list[str]) -> tuple[Any, list[str]]:
    """Return the command that words begin with, and the words that are left."""
    command: Any = get_command(build_app())
    while hasattr(command, "commands"):
        name, *words = words
        assert name in command.commands, f"there is no command {name}"
        command = command.commands[name]
    return command, words


def test_the_documents_name_commands() -> None:
    assert len(commands_in(README)) >= 5
    assert all(commands_in(DOCUMENTS[f"docs/{name}.md"]) for name in ("tutorial", "howto", "faq"))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_in_a_document_is_understood(document: str) -> None:
    for line in commands_in(DOCUMENTS[document]):
        command, words = found(shlex.split(line))
        command.make_context("digits", complete(words))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_within_a_sentence_exists_with_its_options(document: str) -> None:
    prose = re.sub(r"^```.*?^```", "", DOCUMENTS[document], flags=re.MULTILINE | re.DOTALL)
    for line in re.findall(r"`digits ([a-z][^`]*)`", prose):
        command, words = found(line.split())
        options = {name for parameter in command.params for name in (*parameter.opts, "--help")}
        assert {word.partition("=")[0] for word in words if word.startswith("-")} <= options, line


def headings(text: str) -> set[str]:
    """Return the headings of a document as GitHub makes addresses of them."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    lines = re.findall(r"^#+ (.*)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_in_a_document_leads_somewhere(document: str) -> None:
    folder = (ROOT / document).parent
    for target in re.findall(r"\]\(([^)\s]+)\)", DOCUMENTS[document]):
        if re.match(r"https?://", target):
            continue
        name, _, heading = target.partition("#")
        path = (folder / name).resolve() if name else ROOT / document
        assert path.exists(), target
        if heading:
            assert heading in headings(path.read_text()), target


@pytest.mark.parametrize("document", [name for name, text in DOCUMENTS.items() if blocks(text, "python")])
def test_python_in_a_document_takes_names_that_there_are(document: str) -> None:
    nodes = [*ast.walk(ast.parse("\n".join(blocks(DOCUMENTS[document], "python"))))]
    imported: dict[str, Any] = {}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "experiments":
            for alias in node.names:
                if not hasattr(import_module(node.module), alias.name):
                    import_module(f"{node.module}.{alias.name}")
                imported[alias.name] = getattr(import_module(node.module), alias.name)
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = imported.get(node.value.id)
            assert not isinstance(owner, ModuleType) or hasattr(owner, node.attr), node.attr


def test_the_readme_lists_the_documents() -> None:
    for document in DOCUMENTS:
        if document != "README.md":
            assert f"]({document})" in README, document


def test_the_two_lines_of_the_readme_do_their_own_set_up_and_the_continuous_check_runs_the_one_of_the_tests() -> None:
    for end, lock in zip(("bin/digits run --profile quick", "bin/pytest"), LOCKS, strict=True):
        (line,) = [line for line in README.splitlines() if line.endswith(end)]
        assert line.startswith("python3 -m venv ")
        assert f"uv pip install -q -r {lock} " in line
    assert next(line for line in README.splitlines() if "bin/pytest" in line) == line
    assert "grep -m 1 'bin/pytest' README.md" in (ROOT / ".ci" / "run").read_text()


def test_the_table_of_networks_in_the_readme_is_the_real_one() -> None:
    table = README.partition("\n## Networks\n")[2].partition("\n\nRecipes")[0]
    rows = re.findall(r"^\| `(\w+)` \| .* \| ([\d,]+) \|$", table, re.MULTILINE)
    assert rows == [(name, f"{architecture.parameters:,}") for name, architecture in MODELS.items()]


def test_the_readme_names_every_sampler_and_pruner() -> None:
    text = README.partition("\n### Search\n")[2].partition("\n### ")[0]
    for names in (*(samplers_of(engine) for engine in ENGINES), PRUNERS):
        assert ", ".join(f"`{name}`" for name in names) in " ".join(text.split())


def locked_versions(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9.\-]+)==([^\s;\\]+)", LOCKS[lock], re.MULTILINE))


def test_every_direct_dependency_is_locked_within_its_bounds() -> None:
    extras = [text for extra in PROJECT["optional-dependencies"].values() for text in extra]
    for lock, texts in zip(LOCKS, (PROJECT["dependencies"], [*PROJECT["dependencies"], *extras]), strict=True):
        locked = locked_versions(lock)
        for text in texts:
            requirement = Requirement(text)
            if requirement.name == PROJECT["name"]:
                assert requirement.extras <= set(PROJECT["optional-dependencies"]), text
            else:
                assert Version(locked[requirement.name.lower()]) in requirement.specifier, text


def test_the_two_locks_agree_and_the_smaller_one_has_no_tools() -> None:
    run, dev = (locked_versions(lock) for lock in LOCKS)
    assert run.items() <= dev.items()
    assert not {"pytest", "mypy", "ruff", "jax", "ray"} & set(run)
    for lock in LOCKS.values():
        assert all("--hash=sha256:" in entry for entry in re.split(r"\n(?=[a-z0-9])", lock)[1:])
        assert not re.search(r"https?://|file:|--index|--find-links", lock)


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_an_entry_point_has_the_defaults_of_its_command(name: str) -> None:
    words = ENTRY_POINTS[name]["command"].rpartition("digits_cli ")[2].split()
    given = ENTRY_POINTS[name]["parameters"]
    assert all("default" in parameter for parameter in given.values())
    command = get_command(build_app()).commands[words[0]]  # type: ignore[attr-defined]
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


def test_the_name_of_a_public_class_has_one_meaning_and_no_folder_but_a_family_has_thirty_files() -> None:
    files = [file for package in ("experiments", "digits_cli") for file in sorted((ROOT / package).rglob("*.py"))]
    classes = [
        node.name
        for file in files
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    assert [name for name, n in Counter(classes).items() if n > 1] == []
    assert {folder.name for folder, n in Counter(file.parent for file in files).items() if n >= 30} <= {"figures"}
