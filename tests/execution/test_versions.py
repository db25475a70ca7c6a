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
    """Read all files again: within a process, code does not change, nor what is installed."""
    for name, one in vars(versions).items():
        if hasattr(one, "cache_clear") and name != "_distributions":
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


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        *((name, True) for name in ("entry", "lazy", "family/one", "family/helping", "shapes/areas")),
        # Other members of a family, and code that nobody uses.
        *((name, False) for name in ("family/two", "family/__init__", "shapes/lines", "unused")),
    ],
)
def test_code_counts_where_a_result_depends_on_it(project: Project, name: str, counts: bool) -> None:
    before = project.version()
    project.write(name, FILES[name] + "\n\nMORE = 1\n")
    assert (project.version() != before) is counts


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


def functions_of(work: str) -> tuple[Callable[..., Any], ...]:
    from experiments.models import MODELS
    from experiments.workflows.analyze import analyze
    from experiments.workflows.transfer import transfer
    from experiments.workflows.tune import TuneOptions, tune

    if work in ("analyze", "transfer"):
        return (analyze if work == "analyze" else transfer,)
    search = TuneOptions("mlp", "uci", engine=work).search("", "")
    return tune, MODELS["mlp"].build, *search.functions


TUNING = "models/_mlp training/fit tuning/pruners tuning/samplers/sampler"
OTHER_SEARCHES = "models/mlp_small models/lenet tuning/samplers/cmaes tuning/samplers/__init__"


@pytest.mark.parametrize(
    ("work", "counting", "others"),
    [
        (
            "train",
            "datasets/splits models/lenet pictures/normalization training/augmentation training/fit "
            "training/tensorflow_pipeline",
            "datasets/corruptions/weather datasets/derivations/corrupted datasets/published/usps execution/scheduler "
            "models/__init__ models/vgg reporting/figures/training_curves results tracking/runs workflows/train/record",
        ),
        (
            "optuna",
            f"{TUNING} tuning/samplers/tpe tuning/optuna_engine tuning/engines/optuna",
            f"{OTHER_SEARCHES} tuning/keras_tuner_engine tuning/engines/keras_tuner",
        ),
        (
            "keras-tuner",
            "tuning/keras_tuner_engine tuning/engines/keras_tuner",
            "tuning/optuna_engine tuning/engines/optuna",
        ),
        # The wording of a discussion does not count, what it says does.
        *(
            (command, f"{name}/discussion evaluation/effects", f"reporting/discussion/{name} reporting/discussion/text")
            for command, name in (("analyze", "analysis"), ("transfer", "transfer"))
        ),
    ],
)
def test_what_makes_a_result_stale(work: str, counting: str, others: str, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: set[str] = set()
    root, digest = Path(versions.__file__).parents[1], versions._syntax_digest

    def noted(file: Path) -> str:
        counted.add(file.relative_to(root).with_suffix("").as_posix())
        return digest(file)

    monkeypatch.setattr(versions, "_syntax_digest", noted)
    if work == "train":
        from experiments.workflows.train.run import TrainOptions, made_by

        made_by(TrainOptions("lenet", "uci"))
    else:
        code_version(*functions_of(work))
    assert {*counting.split()} <= counted
    assert not {*others.split()} & counted
    assert all((root / f"{file}.py").is_file() for file in others.split())  # a renamed file would never count
