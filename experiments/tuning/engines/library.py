"""Description of a search library."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from experiments.tuning.search import Engine


@dataclass(frozen=True)
class SearchLibrary:
    """A library that runs searches. Its samplers are those of `SAMPLERS` that name it.

    Attributes
    ----------
    name
        Name of the engine on the command line.
    pruners
        Names of its pruners.
    pruner
        Its default pruner.
    open
        Function from (search, folder of the study's files, total number of trials, storage URL or None, function that
        creates the study's MLflow run) to a context manager that yields the engine of the new or continued study.
    unsupported
        Options of ``digits tune`` that it does not support, with the reason.
    """

    name: str
    pruners: tuple[str, ...]
    pruner: str
    open: Callable[..., AbstractContextManager["Engine"]]
    unsupported: Mapping[Literal["pruner", "storage", "cluster"], str] = field(default_factory=dict)
