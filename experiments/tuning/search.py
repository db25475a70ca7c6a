"""What is searched, and what became of each trial."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol, get_args

from experiments.errors import DigitsError, UsageError
from experiments.models import Recipe
from experiments.models.space import Range, Space, Value
from experiments.training import backend as keras_backend

EngineName = Literal["optuna", "keras-tuner"]
OptunaSampler = Literal["tpe", "random", "grid", "cmaes", "qmc"]
KerasTunerSampler = Literal["bayesian", "random", "hyperband"]
Pruner = Literal["hyperband", "median", "none"]
State = Literal["running", "complete", "pruned", "failed"]

ENGINES: tuple[EngineName, ...] = get_args(EngineName)
SAMPLERS: Mapping[str, tuple[str, ...]] = {
    "optuna": get_args(OptunaSampler),
    "keras-tuner": get_args(KerasTunerSampler),
}
PRUNERS: tuple[Pruner, ...] = get_args(Pruner)
OBJECTIVE = "val_accuracy"
MOST_FAILURES = 3  # in a row: then something is wrong that more trials will not mend
MOST_ATTEMPTS = 3  # at a trial that is cut off each time: it may be what ends the process, for lack of memory


@dataclass(frozen=True)
class Search:
    """A search for the best hyperparameters of a network: all that makes two searches the same one.

    Attributes
    ----------
    name
        Of the study.
    engine, sampler, pruner
        What suggests trials and what stops them early; `sampler` is one of `SAMPLERS` of the engine.
    model, dataset, digest, limit
        The network, the data by name and digest of its content, and the number of training images used (None for
        all).
    recipe
        What the trials share: the model's recipe with everything that the user has fixed.
    space
        What they vary.
    own_first
        Whether the first trial takes the recipe's own values; of Optuna's samplers, but for the grid.
    backend
        The library that Keras computes with.

    Raises
    ------
    UsageError
        For an engine, sampler, pruner or backend that there is not, or that do not go together.
    """

    name: str
    engine: EngineName
    model: str
    dataset: str
    digest: str
    recipe: Recipe
    space: Space
    sampler: str = "tpe"
    pruner: Pruner = "median"
    limit: int | None = None
    own_first: bool = True
    backend: str = field(default_factory=keras_backend)

    def __post_init__(self) -> None:
        _require("engine", self.engine, ENGINES)
        _require("sampler", self.sampler, SAMPLERS[self.engine])
        _require("pruner", self.pruner, PRUNERS)
        if self.engine == "keras-tuner" and self.pruner != "none":
            raise UsageError("keras-tuner prunes by its hyperband sampler alone: --pruner goes with --engine optuna")

    @property
    def seed(self) -> int:
        """Seed of the search and of each training in it."""
        return self.recipe.seed

    def identity(self) -> dict[str, Any]:
        """Return what the search is bound to, by name, as JSON values."""
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
        """Refuse to go on with a study that was another search.

        Raises
        ------
        UsageError
            Naming the first thing that differs, as it was and as it is.
        """
        now = self.identity()
        for name in [*earlier, *now]:
            if earlier.get(name) != now.get(name):
                raise UsageError(
                    f"study {self.name!r} exists and is another search: its {name} was {_shown(earlier.get(name))}, "
                    f"now it is {_shown(now.get(name))}; take the same, or a new name with --study NAME"
                )


@dataclass(frozen=True)
class Trial:
    """One trial.

    Attributes
    ----------
    number
        From 0, in the order in which they were begun.
    state
        ``complete``, ``pruned`` (stopped early), ``failed`` (it raised, or its process ended), or ``running``.
    params
        What it tried.
    value
        Validation accuracy of the epoch with the lowest validation loss; None where there is none.
    curve
        Validation accuracy after each epoch, from the first.
    seconds
        From its begin to its end.
    run_id
        Its MLflow run.
    until, continues
        Up to which epoch it is trained, where that is not the whole recipe, and the number of the trial whose training
        it goes on with, if any.
    process
        Which process does or did it, as `experiments.processes.this_process` names it.
    error
        Why it failed.
    again
        Whether it was cut off through no fault of its own, so that a later trial repeats it.
    """

    number: int
    state: State
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
        """For instance ``trial-007``."""
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
    """What suggests trials and keeps their record. Any number of processes may share one; it can be pickled."""

    def parent_run(self) -> str:
        """Return the MLflow run of the study."""

    def claim(self, process: str) -> Trial | None:
        """Take the next trial for a process, or None where there is none to take just now."""

    def begin(self, number: int, run_id: str) -> None:
        """Note the MLflow run of a trial."""

    def report(self, number: int, epoch: int, value: float) -> bool:
        """Note the validation accuracy after an epoch, from 1; return whether the trial should stop here."""

    def finish(self, number: int, state: State, value: float | None, seconds: float, error: str | None = None) -> None:
        """End a trial that was complete, pruned or failed."""

    def give_back(self, number: int, error: str) -> None:
        """End as failed a trial that was cut off, and see that it is tried again, unless that has happened often."""

    def stale(self) -> Sequence[Trial]:
        """Return the running trials whose process is known to be gone."""

    def trials(self) -> Sequence[Trial]:
        """Return all trials that were begun, by number."""

    def remaining(self) -> int:
        """Return how many trials are still to be ended."""

    def claimable(self) -> int:
        """Return how many trials could be claimed now."""


def best_trial(trials: Sequence[Trial]) -> Trial | None:
    """Return the complete trial of the highest value, the earliest among equals; None where none is complete."""
    complete = [trial for trial in trials if trial.state == "complete" and trial.value is not None]
    return max(complete, key=lambda trial: (trial.value or 0.0, -trial.number), default=None)


def failures_in_a_row(trials: Sequence[Trial], first: int) -> list[Trial]:
    """Return the failed trials at the end of those that were begun from number `first` on."""
    ended = [trial for trial in trials if trial.number >= first and trial.state != "running" and not trial.again]
    return list(itertools.takewhile(lambda trial: trial.state == "failed", reversed(ended)))


def counted(trials: Sequence[Trial]) -> list[Trial]:
    """Return the trials that count towards the total: those that were complete or pruned."""
    return [trial for trial in trials if trial.state in ("complete", "pruned")]


class SearchFailedError(DigitsError):
    """Too many trials failed one after the other."""


def _require(name: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise UsageError(f"there is no {name} {value!r}; choose one of {', '.join(choices)}")


def _as_json(values: Range) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(values).items()}


def _shown(value: object) -> str:
    return "none" if value is None else str(value)
