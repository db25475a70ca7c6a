"""Version of the code that computes a result: a digest that changes with the code, not with its layout or comments.

It covers modules of this project, and the versions of the libraries that these import.

The modules that count are found by following imports from the functions that compute the result. A package's
``__init__`` counts for nothing: it re-exports names, which are followed to the modules that define them, or defines the
registry of a family, of which only those members count that the caller names.
"""

import ast
import hashlib
import inspect
import json
from collections.abc import Callable, Iterator
from functools import cache, partial
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# They carry results and do not compute any.
STOP = ("experiments.tracking", "experiments.execution", "experiments.reporting", "experiments.results")


def code_version(*functions: Callable[..., Any]) -> str:
    """Compute a digest of all code that functions depend on: modules of their top-level package, and libraries.

    Parameters
    ----------
    functions
        Functions that compute the result, and the members of families that they are given. Of a `functools.partial`,
        the function and all arguments that are functions count.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    modules: set[str] = set()
    pending = [module for function in functions for module in _modules_of(function)]
    while pending:
        module = pending.pop()
        if module not in modules and not _stops(module):
            modules.add(module)
            pending += _imports(module)
    libraries = {library for module in modules for library in _libraries(module)}
    versions = {module: _syntax_digest(_file(module)) for module in modules}
    versions |= {library: version(library) for library in libraries}
    return hashlib.sha256(json.dumps(versions, sort_keys=True).encode()).hexdigest()[:16]


def _modules_of(function: Callable[..., Any]) -> Iterator[str]:
    """Yield the modules that define a function and the functions bound to it."""
    if isinstance(function, partial):
        for one in (function.func, *function.args, *function.keywords.values()):
            if isinstance(one, partial) or inspect.isfunction(one):
                yield from _modules_of(one)
    else:
        yield function.__module__


def _stops(module: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in STOP)


@cache
def _libraries(module: str) -> frozenset[str]:
    """Return the distributions that a module imports from, anywhere in its code."""
    names: set[str] = set()
    for node in ast.walk(_syntax_tree(_file(module))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    installed = _distributions()
    return frozenset(installed[top] for name in names if (top := name.partition(".")[0]) in installed)


@cache
def _distributions() -> dict[str, str]:
    """Return the distribution of each installed top-level package but this project's own."""
    own = __name__.partition(".")[0]
    return {package: names[0] for package, names in packages_distributions().items() if package != own}


@cache
def _imports(module: str) -> frozenset[str]:
    """Return the modules of its own top-level package that a module imports, anywhere in its code."""
    root = module.partition(".")[0]
    tree = _syntax_tree(_file(module))
    found: set[str] = set()
    packages: dict[str, str] = {}  # imported packages by the name they are bound to
    for node in ast.walk(tree):
        for name, target in _bindings(node, root):
            if _is_package(target):
                packages[name] = target
            else:
                found.add(target)

    def package_of(node: ast.expr) -> str | None:
        """Return the package that an expression stands for, and note the module that defines an attribute of one."""
        if isinstance(node, ast.Name):
            return packages.get(node.id)
        package = package_of(node.value) if isinstance(node, ast.Attribute) else None
        target = _definition(package, node.attr) if package and isinstance(node, ast.Attribute) else None
        if target and not _is_package(target):
            found.add(target)
            return None
        return target

    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            package_of(node)
    return frozenset(found)


def _bindings(node: ast.AST, root: str) -> Iterator[tuple[str, str]]:
    """Yield the names that an import statement binds, with the module or package that defines each."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if _is_within(alias.name, root):
                yield (alias.asname, alias.name) if alias.asname else (root, root)
                if not alias.asname and not _is_package(alias.name):
                    yield alias.name, alias.name
    elif isinstance(node, ast.ImportFrom) and node.module and _is_within(node.module, root):
        for alias in node.names:
            if target := _definition(node.module, alias.name):
                yield alias.asname or alias.name, target


def _definition(module: str, name: str) -> str | None:
    """Return the module that defines a name which is imported from a module; None if a package's ``__init__`` does."""
    if _exists(f"{module}.{name}"):
        return f"{module}.{name}"
    if not _is_package(module):
        return module
    for node in _syntax_tree(_file(module)).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return _definition(node.module, alias.name)
    return None


def _is_within(module: str, root: str) -> bool:
    return module == root or module.startswith(f"{root}.")


def _exists(module: str) -> bool:
    return _find(module) is not None


def _is_package(module: str) -> bool:
    return _file(module).name == "__init__.py"


def _file(module: str) -> Path:
    file = _find(module)
    if file is None:
        raise ModuleNotFoundError(module)
    return file


@cache
def _find(module: str) -> Path | None:
    """Return the file of a module without importing it: some modules import TensorFlow."""
    root, *parts = module.split(".")
    spec = find_spec(root)
    if spec is None or spec.origin is None:
        return None
    if not spec.submodule_search_locations:  # a module without a package
        return None if parts else Path(spec.origin)
    place = Path(spec.submodule_search_locations[0], *parts)
    return next((file for file in (place / "__init__.py", place.with_suffix(".py")) if file.exists()), None)


@cache
def _syntax_tree(file: Path) -> ast.Module:
    """Parse a file without its docstrings; a syntax tree has neither comments nor line breaks."""
    tree = ast.parse(file.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            node.body = [statement for statement in node.body if not _is_text(statement)]
    return tree


def _is_text(statement: ast.stmt) -> bool:
    """Return whether a statement is a docstring, of a module, class, function or attribute."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


@cache
def _syntax_digest(file: Path) -> str:
    return hashlib.sha256(ast.dump(_syntax_tree(file)).encode()).hexdigest()
