"""A digest of code, and which code results come from."""

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from experiments.workflows.sources import PARTS, Part, code_digest

ROOT = Path(__file__).parents[2]

CODE = '"""A part."""\n\n\ndef double(x):\n    """Say it."""\n    return 2 * x  # twice\n'


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the folder of a package called `parts`, which has a part and a part below."""
    folder = tmp_path / "parts"
    (folder / "below").mkdir(parents=True)
    for name, text in (("__init__", ""), ("one", CODE), ("below/__init__", ""), ("below/two", CODE)):
        (folder / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "parts"]:
        del sys.modules[name]


def test_it_changes_with_the_code_and_not_with_its_looks(package: Path) -> None:
    before = code_digest(["parts"])
    part = package / "below/two.py"
    part.write_text(
        CODE.replace("  # twice", "").replace("Say it", "Double it").replace("2 * x", "(2 *\n            x)")
    )
    assert code_digest(["parts"]) == before
    part.write_text(CODE.replace("2 * x", "x * 2"))
    assert code_digest(["parts"]) != before


def test_only_what_is_named_counts(package: Path) -> None:
    one, two = code_digest(["parts.one"]), code_digest(["parts.below.two"])
    (package / "one.py").write_text("changed = True\n")
    assert code_digest(["parts.one"]) != one
    assert code_digest(["parts.below.two"]) == two


def test_a_file_that_moved_or_went_counts(package: Path) -> None:
    before = code_digest(["parts"])
    (package / "one.py").rename(package / "three.py")
    moved = code_digest(["parts"])
    (package / "three.py").unlink()
    assert len({before, moved, code_digest(["parts"])}) == 3


def test_order_and_repetition_do_not_count() -> None:
    parts = ["experiments.training", "experiments.models.recipe"]
    assert code_digest(parts) == code_digest([*parts[::-1], parts[0]])


# Parts on which no number and no picture depends; the list of networks, each of which counts for itself alone; and
# what may be searched, which counts for searches alone.
NO_RESULT = (
    "experiments.errors",
    "experiments.models",
    "experiments.models.space",
    "experiments.processes",
    "experiments.tracking",
    *(f"experiments.workflows.{part}" for part in ("listener", "sources", "unfinished", "search_record", "workers")),
)
ENTRY = {kind: f"experiments.workflows.{kind}" for kind in PARTS}


def file_of(module: str) -> Path | None:
    place = ROOT.joinpath(*module.split("."))
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.exists()), None)


def imported(module: str) -> Iterator[str]:
    """Yield the modules of this project that a module names in its imports."""
    file = file_of(module)
    for node in ast.walk(ast.parse(file.read_text())) if file else ():
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("experiments"):
            for name in node.names:
                part = f"{node.module}.{name.name}"
                yield part if file_of(part) else str(node.module)


def within(module: str, parts: Iterable[str]) -> bool:
    return any(module == part or module.startswith(f"{part}.") for part in parts)


@pytest.mark.parametrize("kind", PARTS)
def test_all_code_that_a_result_comes_from_is_named(kind: Part) -> None:
    draws = ("experiments.reporting",) if kind in ("train", "tune") else ()
    known: set[str] = set()
    found = [ENTRY[kind]]
    while found:
        module = found.pop()
        if module in known or module in NO_RESULT or within(module, (*draws, "experiments.tracking")):
            continue
        known.add(module)
        if not within(module, ["experiments.reporting"]):  # what draws has no part in what it is given to draw
            found += imported(module)
    assert [module for module in sorted(known - {"experiments"}) if not within(module, PARTS[kind])] == []


def test_a_module_that_is_not_there_is_refused() -> None:
    with pytest.raises(ModuleNotFoundError, match="experiments\\.nothing"):
        code_digest(["experiments.nothing"])
