"""Searches by Keras Tuner's oracles. The oracle runs in a process of its own, which serves those that train."""

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
from experiments.results import VAL_ACCURACY
from experiments.tuning.search import MAX_ATTEMPTS, Search, Trial, TrialState, finished_trials

T = TypeVar("T")
NEVER = 1_000_000  # the workflow counts failures, for both engines alike


def _synchronized(method: Callable[..., T]) -> Callable[..., T]:
    """Let one thread at a time call methods: the server has one thread per client process."""

    @functools.wraps(method)
    def locked(self: "KerasTunerEngine", *arguments: Any, **named: Any) -> T:
        with self._lock:
            return method(self, *arguments, **named)

    return locked


class KerasTunerEngine:
    """An oracle and the record of its trials, both kept in a folder.

    Only Keras Tuner's oracles are used, which suggest trials; its tuners would be a second training loop.

    Parameters
    ----------
    search
        The search.
    folder
        Created if it does not exist; a search in it must be the same one (see `Search.require_same`).
    total
        Number of trials that end as complete or pruned, those of earlier calls included.
    """

    def __init__(self, search: Search, folder: Path, total: int) -> None:
        self._search, self._folder, self._total = search, folder, total
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._record = _read(folder / "digits.json")
        with _naming_damaged_folder(folder):
            search.require_same(dict(self._record.setdefault("search", search.identity())))
            self._restore()
        self._exhausted = False
        self._save()

    def _restore(self) -> None:
        """Restore trials and oracle from the folder."""
        saved = [Trial(**fields) for fields in self._record.get("trials", [])]
        self._trials = {trial.number: trial for trial in saved if trial.state != "running"}
        self._interrupted = {trial.number: trial for trial in saved if trial.state == "running"}
        self._oracle = _oracle(self._search)
        self._oracle._set_project_dir(self._folder, "oracle")
        if (self._folder / "oracle" / "oracle.json").exists():
            self._oracle.reload()  # it requeues the trials that were running
        self._ids: dict[int, str] = {_number(name): name for name in self._oracle.trials}

    @_synchronized
    def parent_run(self) -> str:
        """Return the id of the search's MLflow run; empty if it has not been recorded yet."""
        return str(self._record.get("run", ""))

    @_synchronized
    def set_parent_run(self, run_id: str) -> None:
        """Record the MLflow run of the search."""
        self._record["run"] = run_id
        self._save()

    @_synchronized
    def ask(self, process: str) -> Trial | None:
        """Start the oracle's next trial in a process; None if it has none now, or none left."""
        failed = sum(trial.state == "failed" and not trial.again for trial in self._trials.values())
        self._oracle.max_trials = self._total + failed
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

    @_synchronized
    def set_run(self, number: int, run_id: str) -> None:
        """Record the MLflow run of a trial."""
        self._change(number, run_id=run_id)

    @_synchronized
    def report(self, number: int, epoch: int, value: float) -> bool:
        """Record the validation accuracy after an epoch; oracles never prune."""
        curve = list(self._trials[number].curve)[: epoch - 1]
        self._change(number, curve=[*curve, value])
        return False

    @_synchronized
    def tell(
        self, number: int, state: TrialState, value: float | None, seconds: float, error: str | None = None
    ) -> None:
        """End a trial as complete, pruned or failed."""
        if self._trials[number].state != "running":  # it has ended already, and then the tracking store failed
            return
        trial = self._oracle.trials[self._ids[number]]
        if state == "complete" and value is not None:
            self._oracle.update_trial(trial.trial_id, {VAL_ACCURACY: value})
        trial.status = "COMPLETED" if state == "complete" else "FAILED"
        trial.message = error
        self._change(number, state=state, value=value, seconds=seconds, error=error)
        self._end(trial)

    @_synchronized
    def requeue(self, number: int, error: str, *, suspect: bool = True) -> None:
        """End an interrupted trial as failed; the oracle repeats it until it was suspect `MAX_ATTEMPTS` times."""
        if self._interrupted.pop(number, None):
            return
        if self._trials[number].state != "running":
            return
        trial = self._oracle.trials[self._ids[number]]
        trial.status, trial.message = "INVALID", error
        if not suspect:
            self._oracle._run_times[trial.trial_id] -= 1  # end_trial counts a try
        self._end(trial)  # the oracle requeues it, or marks it as failed
        self._change(number, state="failed", error=error, again=self._oracle.trials[trial.trial_id].status == "INVALID")

    @_synchronized
    def abandoned(self) -> Sequence[Trial]:
        """Return the running trials whose process has ended."""
        running = [trial for trial in self._trials.values() if trial.state == "running"]
        return [*self._interrupted.values(), *(trial for trial in running if trial.process and is_dead(trial.process))]

    @_synchronized
    def trials(self) -> Sequence[Trial]:
        """Return all trials that have started, by number."""
        return [self._trials[number] for number in sorted(self._trials)]

    @_synchronized
    def remaining(self) -> int:
        """Return the number of trials that have not ended yet; 0 once the oracle has exhausted the space."""
        if self._exhausted and not any(trial.state == "running" for trial in self._trials.values()):
            return 0
        return self._total - len(finished_trials(list(self._trials.values())))

    @_synchronized
    def available(self) -> int:
        """Return the number of trials that could start now."""
        running = sum(trial.state == "running" for trial in self._trials.values())
        return 0 if self._exhausted else max(0, self.remaining() - running)

    def _end(self, trial: Any) -> None:
        self._oracle.end_trial(trial)
        self._oracle.save()  # end_trial saves before it removes the trial from the running ones

    def _change(self, number: int, **fields: Any) -> None:
        self._trials[number] = replace(self._trials[number], **fields)
        self._save()

    def _save(self) -> None:
        self._record["trials"] = [asdict(trial) for trial in (*self._interrupted.values(), *self._trials.values())]
        fresh = self._folder / "digits.json.new"
        fresh.write_text(json.dumps(self._record))
        fresh.replace(self._folder / "digits.json")


class _ServedEngine(KerasTunerEngine):
    """An engine that is initialized by `open`: a manager passes on what methods raise, but not what constructors do."""

    def __init__(self, *arguments: Any) -> None:
        self._arguments = arguments

    def open(self) -> None:
        """Restore or start the search."""
        super().__init__(*self._arguments)


class _Manager(BaseManager):
    """Serves an engine to the processes of this machine."""


_Manager.register("engine", _ServedEngine)


@contextmanager
def keras_tuner_engine(search: Search, folder: Path, total: int, make_run: Callable[[], str]) -> Iterator[Any]:
    """Start the process that runs the oracle, and yield a proxy of the engine.

    Parameters
    ----------
    search, folder, total
        As for `KerasTunerEngine`.
    make_run
        Called for a new search; returns the id of its MLflow run.

    Raises
    ------
    UsageError
        If a study of this name belongs to another search.
    DigitsError
        If another process runs it, or its files are damaged.
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
    """Ignore Ctrl-C and discard what libraries print; end with the parent process."""
    stop_with_parent()
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _oracle(search: Search) -> Any:
    """Build the oracle of a search, over the same space as Optuna's samplers."""
    import keras_tuner

    oracle = search.build_sampler(
        search.recipe.epochs,
        objective=keras_tuner.Objective(VAL_ACCURACY, "max"),
        hyperparameters=_hyperparameters(search),
        seed=search.seed + 1,  # an oracle takes 0 for no seed
        allow_new_entries=False,
        tune_new_entries=False,
        max_retries_per_trial=MAX_ATTEMPTS - 1,
        max_consecutive_failed_trials=NEVER,
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
        elif isinstance(values, Floats) and values.step:  # Float's own steps may miss the upper end
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
    with _naming_damaged_folder(file.parent):
        return dict(json.loads(file.read_text())) if file.exists() else {}


@contextmanager
def _naming_damaged_folder(folder: Path) -> Iterator[None]:
    """Name the folder in the error message if its content is damaged."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, RuntimeError) as error:
        raise DigitsError(
            f"the record of the search in {folder} is damaged; move it away, or use another name with --study NAME"
        ) from error
