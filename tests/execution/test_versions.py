"""The version of code: what changes it and what does not."""

import importlib
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from experiments.execution import versions
from experiments.execution.versions import code_version

FILES = {
    "__init__": "",
    "entry": "from project.family import MEMBERS, helper\nfrom project import shapes\n\n\n"
    "def compute(member):\n    import project.lazy\n    return helper(MEMBERS[member]) + shapes.area()\n",
    "lazy": "NUMBER = 1\n",
    "family/__init__": "from project.family.one import one\nfrom project.family.two import two\n"
    "from project.family.helping import helper\n\nMEMBERS = {'one': one, 'two': two}\n",
    "family/one": 'def one(x):\n    """Say it."""\n    return 2 * x  # twice\n',
    "family/two": "def two(x):\n    return 3 * x\n",
    "family/helping": "def helper(x):\n    return x\n",
    "shapes/__init__": "from project.shapes.areas import area\nfrom project.shapes.lines import length\n",
    "shapes/areas": "import json\n\n\ndef area():\n    return 1\n",
    "shapes/lines": "def length():\n    return 1\n",
    "drawing/__init__": "",
    "drawing/figure": "COLOR = 'red'\n",
    "unused": "X = 1\n",
}


class Project:
    """A small project whose code changes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in FILES.items():
            self.write(name, text)
        self.compute: Callable[..., Any] = importlib.import_module("project.entry").compute
        self.one: Callable[..., Any] = importlib.import_module("project.family.one").one

    def write(self, name: str, text: str) -> None:
        file = self.folder / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def version(self, *functions: Callable[..., Any]) -> str:
        forget()
        return code_version(*(functions or (self.compute, self.one)))


def forget() -> None:
    """Read all files again: within a process, code does not change."""
    for one in vars(versions).values():
        if hasattr(one, "cache_clear"):
            one.cache_clear()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.syspath_prepend(tmp_path)
    yield Project(tmp_path / "project")
    for name in [name for name in sys.modules if name.partition(".")[0] == "project"]:
        del sys.modules[name]
    forget()


@pytest.mark.parametrize(
    "statement",
    [
        "import project.extra.area as used",
        "import project.extra as used; used.area.size()",
        "import project.extra; project.extra.area.size()",
        "from project import extra as used; used.area.size()",
        "from project.extra import area",
        "from project.extra.area import size as used",
        "def later():\n    from project.extra import area",
    ],
)
def test_every_way_to_import_a_module_is_followed(project: Project, statement: str) -> None:
    for name, text in (("extra/__init__", ""), ("extra/area", "def size(): return 1\n"), ("extra/other", "X = 1\n")):
        project.write(name, text)
    project.write("lazy", statement + "\n")
    before = project.version()
    project.write("extra/area", "def size(): return 2\n")
    assert project.version() != before
    after = project.version()
    project.write("extra/other", "X = 2\n")
    assert project.version() == after


@pytest.mark.parametrize("name", ["entry", "lazy", "family/one", "family/helping", "shapes/areas"])
def test_code_that_a_result_depends_on_counts(project: Project, name: str) -> None:
    before = project.version()
    project.write(name, FILES[name] + "\n\nMORE = 1\n")
    assert project.version() != before


@pytest.mark.parametrize("name", ["family/two", "family/__init__", "shapes/lines", "unused"])
def test_other_members_of_a_family_and_unused_code_do_not_count(project: Project, name: str) -> None:
    before = project.version()
    project.write(name, FILES[name] + "\n\nMORE = 1\n")
    assert project.version() == before


def test_layout_comments_and_docstrings_do_not_count(project: Project) -> None:
    before = project.version()
    text = (
        FILES["family/one"].replace("  # twice", "").replace("Say it", "Double it").replace("2 * x", "(2 *\n      x)")
    )
    project.write("family/one", text)
    project.write("lazy", FILES["lazy"] + '"""A number."""\n')
    assert project.version() == before


def test_packages_that_compute_nothing_are_not_followed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write("entry", FILES["entry"] + "\n\nfrom project.drawing.figure import COLOR\n")
    followed = project.version()
    monkeypatch.setattr(versions, "STOP", ("project.drawing",))
    before = project.version()
    assert before != followed
    project.write("drawing/figure", "COLOR = 'blue'\n")
    assert project.version() == before


def test_functions_bound_to_a_partial_count(project: Project) -> None:
    bound = partial(project.compute, project.one)
    before = project.version(bound), project.version(project.compute)
    project.write("family/one", FILES["family/two"])
    assert project.version(bound) != before[0]
    assert project.version(project.compute) == before[1]


def test_versions_of_libraries_count(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write("lazy", "import numpy\n")
    before = project.version()
    monkeypatch.setattr(versions, "version", lambda name: f"{name} of tomorrow")
    assert project.version() != before


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("models/vgg.py", False),
        ("models/__init__.py", False),
        ("reporting/figures/training_curves.py", False),
        ("execution/scheduler.py", False),
        ("tracking/runs.py", False),
        ("datasets/published/usps.py", False),
        ("datasets/corruptions/weather.py", False),
        ("datasets/derivations/corrupted.py", False),
        ("datasets/splits.py", True),
        ("pictures/normalization.py", True),
        ("results.py", False),
        ("workflows/train/record.py", False),
        ("models/lenet.py", True),
        ("training/fit.py", True),
        ("training/augmentation.py", True),
        ("training/tensorflow_pipeline.py", True),
    ],
)
def test_what_makes_a_training_of_lenet_stale(file: str, changes: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    from experiments.workflows.train.run import TrainOptions, made_by

    options = TrainOptions("lenet", "uci")
    assert is_stale(file, monkeypatch, lambda: made_by(options)["code"]) is changes


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("models/mlp_small.py", False),
        ("models/lenet.py", False),
        ("tuning/samplers/cmaes.py", False),
        ("tuning/samplers/__init__.py", False),
        ("models/_mlp.py", True),
        ("tuning/samplers/tpe.py", True),
        ("tuning/samplers/sampler.py", True),
        ("tuning/pruners.py", True),
        ("tuning/optuna_engine.py", True),
        ("training/fit.py", True),
    ],
)
def test_what_makes_a_search_of_mlp_stale(file: str, changes: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    from experiments.models import MODELS
    from experiments.workflows.tune import TuneOptions, tune

    search = TuneOptions("mlp", "uci").search("", "")
    assert is_stale(file, monkeypatch, lambda: code_version(tune, MODELS["mlp"].build, *search.functions)) is changes


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("reporting/discussion/{}.py", False),
        ("reporting/discussion/text.py", False),
        ("{}/discussion.py", True),
        ("evaluation/effects.py", True),
    ],
)
@pytest.mark.parametrize("command", ["analysis", "transfer"])
def test_an_edit_of_the_wording_makes_no_discussed_result_stale(
    file: str, changes: bool, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from experiments.workflows.analyze import analyze
    from experiments.workflows.transfer import transfer

    functions: dict[str, Callable[..., Any]] = {"analysis": analyze, "transfer": transfer}
    assert is_stale(file.format(command), monkeypatch, lambda: code_version(functions[command])) is changes


@pytest.mark.parametrize("engine", ["optuna", "keras-tuner"])
@pytest.mark.parametrize("file", ["tuning/{}_engine.py", "tuning/engines/{}.py"])
@pytest.mark.parametrize("edited", ["optuna", "keras-tuner"])
def test_a_search_depends_on_its_own_engine(
    engine: str, file: str, edited: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from experiments.workflows.tune import TuneOptions, tune

    search = TuneOptions("mlp", "uci", engine=engine).search("", "")
    file = file.format(edited.replace("-", "_"))
    assert is_stale(file, monkeypatch, lambda: code_version(tune, *search.functions)) is (engine == edited)


def is_stale(file: str, monkeypatch: pytest.MonkeyPatch, version_of_code: Callable[[], str]) -> bool:
    """Return whether an edit of a file changes a code version."""
    forget()
    before = version_of_code()
    digest = versions._syntax_digest
    changed = Path(versions.__file__).parents[1] / file
    assert changed.exists()
    monkeypatch.setattr(versions, "_syntax_digest", lambda one: "edited" if one == changed else digest(one))
    return version_of_code() != before
