"""A search for hyperparameters: its definition, its trials, and the engine that suggests them."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol

from experiments.errors import DigitsError, UsageError
from experiments.models import Recipe
from experiments.models.space import Range, Space, Value
from experiments.training import backend as keras_backend
from experiments.tuning.engines import DEFAULT_ENGINE, ENGINES, SearchLibrary, search_library
from experiments.tuning.samplers import SAMPLERS, Sampler, samplers_of

TrialState = Literal["running", "complete", "pruned", "failed"]

MAX_CONSECUTIVE_FAILURES = 3  # then more trials will not help
MAX_ATTEMPTS = 3  # of a trial whose process crashes: the trial itself may be the reason, for example by its memory
EXAMPLE_URL = "postgresql+psycopg://USER:PASSWORD@HOST/NAME"  # of a study that machines share


@dataclass(frozen=True)
class Search:
    """A search for the best hyperparameters of a network: everything that identifies it.

    Attributes
    ----------
    name
        Name of the study.
    engine, sampler, pruner
        Names in `ENGINES`, `SAMPLERS` and `PRUNERS`.
    model, dataset, digest, limit
        The network, the dataset by name and digest of its content, and the number of training images (None for all).
    recipe
        Settings that all trials share: the model's recipe with the user's changes.
    space
        Ranges of the hyperparameters.
    own_first
        Whether the first trial uses the recipe's own values. Applies to Optuna's samplers except ``grid``.
    backend
        Keras backend.

    Raises
    ------
    UsageError
        If engine, sampler, pruner or backend do not exist or cannot be combined.
    """

    name: str
    engine: str
    model: str
    dataset: str
    digest: str
    recipe: Recipe
    space: Space
    sampler: str = samplers_of(DEFAULT_ENGINE)[0]
    pruner: str = ENGINES[DEFAULT_ENGINE].pruner
    limit: int | None = None
    own_first: bool = True
    backend: str = field(default_factory=keras_backend)

    def __post_init__(self) -> None:
        library = self.library
        _require("sampler", self.sampler, samplers_of(self.engine))
        if self.pruner not in library.pruners:
            require_support(library, "pruner")
        _require("pruner", self.pruner, library.pruners)

    @property
    def seed(self) -> int:
        """Seed of the search and of each training in it."""
        return self.recipe.seed

    @property
    def library(self) -> SearchLibrary:
        """The library that runs the search."""
        return search_library(self.engine)

    @property
    def algorithm(self) -> Sampler:
        """The sampler by its name."""
        return SAMPLERS[self.sampler]

    @property
    def build_sampler(self) -> Callable[..., Any]:
        """The function that builds the engine's sampler; see `Sampler.engines`."""
        return self.algorithm.engines[self.engine]

    @property
    def functions(self) -> tuple[Callable[..., Any], ...]:
        """Functions of the sampler and the engine, for the code version of a result."""
        return (self.build_sampler, self.library.open)

    def identity(self) -> dict[str, Any]:
        """Return everything that the results depend on, by name, as JSON values."""
        return {
            "engine": self.engine,
            "model": self.model,
            "dataset": self.dataset,
            "data digest": self.digest,
            "limit": self.limit,
            "sampler": self.sampler,
            "pruner": self.pruner,
            "own values first": self.own_first,
            "backend": self.backend,
            **{f"setting {name}": value for name, value in self.recipe.params().items() if name not in self.space},
            **{f"range of {name}": _as_json(values) for name, values in self.space.items()},
        }

    def require_same(self, earlier: Mapping[str, Any]) -> None:
        """Refuse to continue a study that belongs to another search.

        Raises
        ------
        UsageError
            Naming the first difference.
        """
        now = self.identity()
        for name in [*earlier, *now]:
            if earlier.get(name) != now.get(name):
                raise UsageError(
                    f"study {self.name!r} exists and is another search: its {name} was {_shown(earlier.get(name))}, "
                    f"now it is {_shown(now.get(name))}; use the same value, or a new name with --study NAME"
                )


@dataclass(frozen=True)
class Trial:
    """One trial.

    Attributes
    ----------
    number
        From 0, in the order in which the trials started.
    state
        ``running``, ``complete``, ``pruned`` (stopped early), or ``failed`` (it raised, or its process ended).
    params
        Hyperparameters.
    value
        Validation accuracy of the epoch with the lowest validation loss; None if there is none.
    curve
        Validation accuracy after each epoch.
    seconds
        Wall time.
    run_id
        Its MLflow run.
    until, continues
        The epoch that it is trained up to, if that is not the recipe's last, and the number of the trial whose
        training it continues, if any.
    process
        The process that runs it, as named by `experiments.processes.this_process`.
    error
        Why it failed.
    again
        Whether it was interrupted, so that a later trial repeats it.
    """

    number: int
    state: TrialState
    params: Mapping[str, Value]
    value: float | None = None
    curve: Sequence[float] = field(default=())
    seconds: float | None = None
    run_id: str | None = None
    until: int | None = None
    continues: int | None = None
    process: str | None = None
    error: str | None = None
    again: bool = False

    @property
    def name(self) -> str:
        """For example ``trial-007``."""
        return f"trial-{self.number:03d}"

    def row(self) -> dict[str, Any]:
        """Return the trial as one row of a table."""
        return {
            "trial": self.number,
            "state": self.state,
            "value": self.value,
            "epochs": len(self.curve),
            "seconds": self.seconds,
            **self.params,
            "run_id": self.run_id,
            "error": self.error,
        }


class Engine(Protocol):
    """Suggests trials and keeps their record. Any number of processes may share one; it can be pickled."""

    def parent_run(self) -> str:
        """Return the id of the study's MLflow run."""

    def ask(self, process: str) -> Trial | None:
        """Start the next trial in a process; None if there is none at the moment."""

    def set_run(self, number: int, run_id: str) -> None:
        """Record the MLflow run of a trial."""

    def report(self, number: int, epoch: int, value: float) -> bool:
        """Record the validation accuracy after an epoch, from 1; return whether the trial should be pruned."""

    def tell(
        self, number: int, state: TrialState, value: float | None, seconds: float, error: str | None = None
    ) -> None:
        """End a trial as complete, pruned or failed."""

    def requeue(self, number: int, error: str, *, suspect: bool = True) -> None:
        """End an interrupted trial as failed and repeat it before others start.

        A trial that was suspect `MAX_ATTEMPTS` times is given up. It is suspect if only its own process ended, not the
        whole command.
        """

    def abandoned(self) -> Sequence[Trial]:
        """Return the running trials whose process has ended."""

    def trials(self) -> Sequence[Trial]:
        """Return all trials that have started, by number."""

    def remaining(self) -> int:
        """Return the number of trials that have not ended yet."""

    def available(self) -> int:
        """Return the number of trials that could start now."""


def best_trial(trials: Sequence[Trial]) -> Trial | None:
    """Return the complete trial with the highest value, the earliest among equals; None if none is complete."""
    complete = [trial for trial in trials if trial.state == "complete" and trial.value is not None]
    return max(complete, key=lambda trial: (trial.value or 0.0, -trial.number), default=None)


def consecutive_failures(trials: Sequence[Trial], first: int) -> list[Trial]:
    """Return the failed trials since the last one that did not fail, latest first, down to number `first`."""
    ended = [trial for trial in trials if trial.number >= first and trial.state != "running" and not trial.again]
    return list(itertools.takewhile(lambda trial: trial.state == "failed", reversed(ended)))


def finished_trials(trials: Sequence[Trial]) -> list[Trial]:
    """Return the trials that count toward the total: the complete and the pruned ones."""
    return [trial for trial in trials if trial.state in ("complete", "pruned")]


class SearchFailedError(DigitsError):
    """Too many trials failed one after another."""


def require_support(library: SearchLibrary, option: Literal["pruner", "storage", "cluster"]) -> None:
    """Refuse an option of ``digits tune`` that a library does not support.

    Raises
    ------
    UsageError
        Naming the libraries that do.
    """
    if option in library.unsupported:
        others = " or ".join(other.name for other in ENGINES.values() if option not in other.unsupported)
        raise UsageError(f"--{option} goes with --engine {others}: {library.unsupported[option]}")


def _require(name: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise UsageError(f"there is no {name} {value!r}; choose one of {', '.join(choices)}")


def _as_json(values: Range) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(values).items()}


def _shown(value: object) -> str:
    return "none" if value is None else str(value)
