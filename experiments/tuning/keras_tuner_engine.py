"""Searches by Keras Tuner's oracles, which live in a process of their own and are asked by those that train."""

import functools
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from multiprocessing import get_context
from multiprocessing.managers import BaseManager
from pathlib import Path
from typing import Any, TypeVar

from experiments.errors import DigitsError
from experiments.models.space import Choices, Floats, Integers
from experiments.processes import is_dead, stop_with_parent
from experiments.tuning.search import MOST_ATTEMPTS, OBJECTIVE, Search, State, Trial, counted

T = TypeVar("T")
REDUCTION = 3  # of the trials in a round of hyperband, one in so many goes on: Keras Tuner's own default
NEVER = 1_000_000  # failures are counted by the workflow, for both engines alike


def _alone(method: Callable[..., T]) -> Callable[..., T]:
    """Let one thread at a time into an engine: each process that asks has one of its own here."""

    @functools.wraps(method)
    def locked(self: "KerasTunerEngine", *arguments: Any, **named: Any) -> T:
        with self._lock:
            return method(self, *arguments, **named)

    return locked


class KerasTunerEngine:
    """An oracle with the record of its trials, in a folder from which both are restored.

    Of Keras Tuner this takes the oracles, which suggest; its tuners, which train, would be a second training loop.

    Parameters
    ----------
    search
        What is searched.
    folder
        Made if it does not exist; an earlier search in it must have been the same (see `Search.require_same`).
    total
        Trials to end as complete, those of earlier calls among them.
    """

    def __init__(self, search: Search, folder: Path, total: int) -> None:
        self._search, self._folder, self._wanted = search, folder, total
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._notes = _read(folder / "digits.json")
        with _damage_told(folder):
            search.require_same(dict(self._notes.setdefault("search", search.identity())))
            self._restore()
        self._exhausted = False
        self._save()

    def _restore(self) -> None:
        """Take trials and oracle from the folder as an earlier process left them."""
        noted = [Trial(**fields) for fields in self._notes.get("trials", [])]
        self._trials = {trial.number: trial for trial in noted if trial.state != "running"}
        self._cut_off = {trial.number: trial for trial in noted if trial.state == "running"}
        self._oracle = _oracle(self._search)
        self._oracle._set_project_dir(self._folder, "oracle")
        if (self._folder / "oracle" / "oracle.json").exists():
            self._oracle.reload()  # which queues what was running to be tried again
        self._ids: dict[int, str] = {_number(name): name for name in self._oracle.trials}

    @_alone
    def parent_run(self) -> str:
        """Return the MLflow run of the search; empty where it has not been noted yet."""
        return str(self._notes.get("run", ""))

    @_alone
    def set_parent_run(self, run_id: str) -> None:
        """Note the MLflow run of the search."""
        self._notes["run"] = run_id
        self._save()

    @_alone
    def claim(self, process: str) -> Trial | None:
        """Ask the oracle for a trial; None where it has none just now, or no more at all."""
        failed = sum(trial.state == "failed" and not trial.again for trial in self._trials.values())
        self._oracle.max_trials = self._wanted + failed
        suggested = self._oracle.create_trial(process)
        if suggested.status != "RUNNING":
            below = len(self._oracle.trials) < self._oracle.max_trials
            self._exhausted = suggested.status == "STOPPED" and below
            return None
        number = _number(suggested.trial_id)
        self._ids[number] = suggested.trial_id
        values = suggested.hyperparameters.values
        params = {name: values[name] for name in self._search.space}
        earlier = values.get("tuner/trial_id")
        self._trials[number] = Trial(
            number,
            "running",
            params,
            until=values.get("tuner/epochs"),
            continues=None if earlier is None else _number(earlier),
            process=process,
        )
        self._save()
        return self._trials[number]

    @_alone
    def begin(self, number: int, run_id: str) -> None:
        """Note the MLflow run of a trial."""
        self._change(number, run_id=run_id)

    @_alone
    def report(self, number: int, epoch: int, value: float) -> bool:
        """Note the validation accuracy after an epoch; an oracle never stops a trial halfway."""
        curve = list(self._trials[number].curve)[: epoch - 1]
        self._change(number, curve=[*curve, value])
        return False

    @_alone
    def finish(self, number: int, state: State, value: float | None, seconds: float, error: str | None = None) -> None:
        """End a trial."""
        if self._trials[number].state != "running":  # it has ended before, and then the store failed
            return
        trial = self._oracle.trials[self._ids[number]]
        if state == "complete" and value is not None:
            self._oracle.update_trial(trial.trial_id, {OBJECTIVE: value})
        trial.status = "COMPLETED" if state == "complete" else "FAILED"
        trial.message = error
        self._change(number, state=state, value=value, seconds=seconds, error=error)
        self._end(trial)

    @_alone
    def give_back(self, number: int, error: str) -> None:
        """Hand a trial whose process was stopped or is gone back to the oracle, which gives it out again."""
        if self._cut_off.pop(number, None):
            return
        if self._trials[number].state != "running":
            return
        trial = self._oracle.trials[self._ids[number]]
        trial.status, trial.message = "INVALID", error
        self._end(trial)  # which queues it again, or lets it fail for good
        self._change(number, state="failed", error=error, again=self._oracle.trials[trial.trial_id].status == "INVALID")

    @_alone
    def stale(self) -> Sequence[Trial]:
        """Return the running trials whose process is gone."""
        running = [trial for trial in self._trials.values() if trial.state == "running"]
        return [*self._cut_off.values(), *(trial for trial in running if trial.process and is_dead(trial.process))]

    @_alone
    def trials(self) -> Sequence[Trial]:
        """Return all trials that were begun, by number."""
        return [self._trials[number] for number in sorted(self._trials)]

    @_alone
    def remaining(self) -> int:
        """Return how many trials are still to be ended: none when the oracle has tried all there is."""
        if self._exhausted and not any(trial.state == "running" for trial in self._trials.values()):
            return 0
        return self._wanted - len(counted(list(self._trials.values())))

    @_alone
    def claimable(self) -> int:
        """Return how many trials could be claimed now."""
        running = sum(trial.state == "running" for trial in self._trials.values())
        return 0 if self._exhausted else max(0, self.remaining() - running)

    def _end(self, trial: Any) -> None:
        self._oracle.end_trial(trial)
        self._oracle.save()  # end_trial itself saves before it has taken the trial off the running ones

    def _change(self, number: int, **fields: Any) -> None:
        self._trials[number] = replace(self._trials[number], **fields)
        self._save()

    def _save(self) -> None:
        self._notes["trials"] = [asdict(trial) for trial in (*self._cut_off.values(), *self._trials.values())]
        fresh = self._folder / "digits.json.new"
        fresh.write_text(json.dumps(self._notes))
        fresh.replace(self._folder / "digits.json")


class _ServedEngine(KerasTunerEngine):
    """An engine that is filled by a call after it was made: only what calls raise comes to those who make them."""

    def __init__(self, *arguments: Any) -> None:
        self._arguments = arguments

    def open(self) -> None:
        """Restore or begin the search."""
        super().__init__(*self._arguments)


class _Manager(BaseManager):
    """Serves an engine to the processes of this machine."""


_Manager.register("engine", _ServedEngine)


@contextmanager
def keras_tuner_engine(search: Search, folder: Path, total: int, make_run: Callable[[], str]) -> Iterator[Any]:
    """Start the process in which the oracle lives, and yield the engine as other processes see it.

    Parameters
    ----------
    search, folder, total
        As for `KerasTunerEngine`.
    make_run
        Called for a new search; returns the id of its MLflow run.

    Raises
    ------
    UsageError
        When a study of this name was another search.
    DigitsError
        When another process holds it, or its files are damaged.
    """
    from filelock import FileLock, Timeout

    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        held = FileLock(folder.with_suffix(".lock"), timeout=0).acquire()
    except Timeout as error:
        raise DigitsError(f"another process is already searching {search.name}; wait for it or stop it") from error
    manager = _Manager(ctx=get_context("spawn"))
    with held:
        manager.start(_serve_quietly)
        with manager:
            engine = manager.engine(search, folder, total)  # type: ignore[attr-defined]
            engine.open()
            if not engine.parent_run():
                engine.set_parent_run(make_run())
            yield engine


def _serve_quietly() -> None:
    """Keep what libraries print, and Ctrl-C, from a process that others command; end it with the one it serves."""
    stop_with_parent()
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _oracle(search: Search) -> Any:
    """Return Keras Tuner's oracle for a search, over the same space as Optuna's samplers."""
    import keras_tuner

    oracles = {
        "random": keras_tuner.oracles.RandomSearchOracle,
        "bayesian": keras_tuner.oracles.BayesianOptimizationOracle,
        "hyperband": keras_tuner.oracles.HyperbandOracle,
    }
    rounds = {"max_epochs": search.recipe.epochs, "factor": REDUCTION, "hyperband_iterations": NEVER}
    oracle = oracles[search.sampler](
        objective=keras_tuner.Objective(OBJECTIVE, "max"),
        hyperparameters=_hyperparameters(search),
        seed=search.seed + 1,  # 0 would be taken for none
        allow_new_entries=False,
        tune_new_entries=False,
        max_retries_per_trial=MOST_ATTEMPTS - 1,
        max_consecutive_failed_trials=NEVER,
        **(rounds if search.sampler == "hyperband" else {}),
    )
    oracle.verbose = 0
    return oracle


def _hyperparameters(search: Search) -> Any:
    import keras_tuner

    space, own = keras_tuner.HyperParameters(), search.recipe.params()
    for name, values in search.space.items():
        default = {"default": own[name]} if own[name] in values else {}
        if isinstance(values, Integers):
            space.Int(name, values.low, values.high, step=values.step, **default)
        elif isinstance(values, Floats) and values.step:  # Keras Tuner's own steps fall short of the end
            space.Choice(name, list(values.steps()), ordered=True, **default)
        elif isinstance(values, Floats):
            sampling = "log" if values.log else "linear"
            space.Float(name, values.low, values.high, sampling=sampling, **default)
        elif isinstance(values, Choices):
            space.Choice(name, list(values.values), **default)
    return space


def _number(name: str) -> int:
    return int(name)


def _read(file: Path) -> dict[str, Any]:
    with _damage_told(file.parent):
        return dict(json.loads(file.read_text())) if file.exists() else {}


@contextmanager
def _damage_told(folder: Path) -> Iterator[None]:
    """Say which folder is at fault when what was read from it is not what was written."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, RuntimeError) as error:
        raise DigitsError(
            f"the record of the search in {folder} is damaged; move it away, or take another name with --study NAME"
        ) from error
