"""Which code a result comes from: a digest that changes when the code does, not when its layout or comments do."""

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path


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
