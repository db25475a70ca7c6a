"""A digest of code."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments.workflows.sources import code_digest

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


def test_a_module_that_is_not_there_is_refused() -> None:
    with pytest.raises(ModuleNotFoundError, match="experiments\\.nothing"):
        code_digest(["experiments.nothing"])
