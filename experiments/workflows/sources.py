"""Which code a result comes from: a digest that changes when the code does, not when its layout or comments do."""

import ast
import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

Part = Literal["train", "tune", "evaluate", "analyze", "transfer"]


def _workflows(*names: str) -> tuple[str, ...]:
    return tuple(f"experiments.workflows.{name}" for name in names)


_TRAIN = (
    "experiments.datasets",
    "experiments.training",
    *(f"experiments.models.{part}" for part in ("architecture", "layers", "prediction", "recipe")),
    *_workflows("train"),
)
_ANALYZE = (
    *_TRAIN,
    *(f"experiments.{part}" for part in ("evaluation", "analysis", "reporting", "models.fast")),
    *_workflows("analyze", "explore", "networks", "stages"),
)
# The code that results of each kind come from; that of the network itself is added to it. What draws counts where
# pictures and words are the result, and drawing them anew costs little; not where it would mean to train anew.
PARTS: Mapping[Part, tuple[str, ...]] = {
    "train": _TRAIN,
    "tune": (*_TRAIN, "experiments.tuning", "experiments.models.space", *_workflows("tune", "trials")),
    "evaluate": (
        *_TRAIN,
        *(f"experiments.{part}" for part in ("evaluation", "reporting", "models.speed")),
        *_workflows("evaluate", "ensemble", "networks"),
    ),
    "analyze": _ANALYZE,
    "transfer": (
        *_ANALYZE,
        "experiments.transfer",
        *_workflows("transfer", "adapt", "domains"),
        *_workflows(*(f"transfer_{part}" for part in ("figures", "numbers", "record", "words"))),
    ),
}


def code_digest(modules: Iterable[str]) -> str:
    """Return 16 hexadecimal digits that stand for the code of modules, and of all that lies in packages among them.

    Parameters
    ----------
    modules
        Dotted names of modules and packages of this project.

    Raises
    ------
    ModuleNotFoundError
        Naming one that there is not.
    """
    sha256 = hashlib.sha256()
    for name in sorted(set(modules)):
        folder, files = _files(name)
        for file in files:
            sha256.update(f"{name} {file.relative_to(folder).as_posix()} {_meaning(file.read_bytes())}\n".encode())
    return sha256.hexdigest()[:16]


def _files(module: str) -> tuple[Path, list[Path]]:
    """Return the folder of a module and its files, those of its parts among them where it is a package."""
    found = find_spec(module)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(module)
    own = Path(found.origin)
    return own.parent, sorted(own.parent.rglob("*.py")) if found.submodule_search_locations else [own]


@cache
def _meaning(code: bytes) -> str:
    """Return a digest of the syntax tree of code, which has neither comments nor line breaks, without docstrings."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            del node.body[0]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()
