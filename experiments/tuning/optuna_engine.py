"""Searches by Optuna, in one process or in several, which may run on several machines."""

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from experiments.models.space import Floats, Integers, Range, Space, Value
from experiments.processes import is_dead
from experiments.results import VAL_ACCURACY
from experiments.tuning.pruners import PRUNERS
from experiments.tuning.search import MAX_ATTEMPTS, Search, Trial, TrialState
from experiments.tuning.storage import GRACE_SECONDS, HEARTBEAT_SECONDS, open_storage

if TYPE_CHECKING:
    import optuna
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

IDENTITY, PARENT = "digits.search", "digits.run"
JOIN_SECONDS = 10  # for the process that created the study to record its identity


class OptunaEngine:
    """A study with a queue of trials.

    Optuna's ``n_trials`` counts the trials of one process, so that several processes, or one that is restarted, would
    end with more trials than requested. Here all trials are enqueued in advance (Optuna's state WAITING). Only one
    process starts a queued trial, and only if it is among the first `total` trials that have not failed: a surplus
    one, which two processes may have added at the same time, never starts.

    Parameters
    ----------
    search
        The search; its study must exist (see `open_study`).
    place
        As in `experiments.tuning.storage.open_storage`.
    total
        Number of trials that end as complete or pruned, those of earlier calls included.
    """

    def __init__(self, search: Search, place: str, total: int) -> None:
        import optuna

        self.search = search
        self._total, self._place = total, place
        self._storage = open_storage(place)
        pruner = PRUNERS[search.pruner](search.recipe.epochs)
        self._study = optuna.load_study(study_name=search.name, storage=self._storage, pruner=pruner)
        self._study_id = self._storage.get_study_id_from_name(search.name)
        self._running: dict[int, optuna.Trial] = {}
        self._heartbeats: dict[int, threading.Event] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return OptunaEngine, (self.search, self._place, self._total)

    @property
    def total(self) -> int:
        """Number of trials that end as complete or pruned; failed points of a grid have no replacement."""
        if not self.search.algorithm.points:
            return self._total
        queued, failed = self._enqueued_points()
        return min(self._total, len(self._all_points()) - len(failed - queued))

    def parent_run(self) -> str:
        """Return the id of the study's MLflow run."""
        return str(self._study.user_attrs[PARENT])

    def enqueue_missing(self) -> None:
        """Fill the queue up to the total: the model's own recipe first, then trials that the sampler will fill in."""
        kept = self._kept()
        points = self._points(own=self.search.own_first and not kept)
        for _ in range(self.total - len(kept)):
            self._study.enqueue_trial(next(points))

    def ask(self, process: str) -> Trial | None:
        """Start the next queued trial in a process, with the sampler's suggestion; None if there is none now."""
        import optuna

        for queued in self._waiting():
            if self._start(queued):
                self._study.sampler = make_sampler(self.search, _place_in_queue(queued))
                trial = optuna.Trial(self._study, queued._trial_id)
                trial.set_user_attr("process", process)
                self._running[queued.number] = trial
                self._start_heartbeat(queued.number)
                params = {name: _tidy(_suggest(trial, name, values)) for name, values in self.search.space.items()}
                return Trial(queued.number, "running", params, process=process)
        return None

    def set_run(self, number: int, run_id: str) -> None:
        """Record the MLflow run of a trial."""
        self._running[number].set_user_attr("run", run_id)

    def report(self, number: int, epoch: int, value: float) -> bool:
        """Record the validation accuracy after an epoch; return whether to prune the trial."""
        trial = self._running[number]
        trial.report(value, epoch)
        return bool(epoch < self.search.recipe.epochs and trial.should_prune())

    def tell(
        self, number: int, state: TrialState, value: float | None, seconds: float, error: str | None = None
    ) -> None:
        """End a trial as complete, pruned or failed."""
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        trial = self._running.pop(number, None)
        if trial is None:  # it has ended already, and then the tracking store failed
            return
        self._heartbeats.pop(number).set()
        states = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}
        notes = {"seconds": seconds, "value": value, "error": error}
        with suppress(UpdateFinishedTrialError):  # without heartbeats from here, another machine has requeued it
            for name, note in notes.items():
                if note is not None:
                    trial.set_user_attr(name, note)
            self._study.tell(trial, value if state == "complete" else None, states[state], skip_if_finished=True)
        if state == "failed":
            self.enqueue_missing()

    def requeue(self, number: int, error: str, *, suspect: bool = True) -> None:
        """End an interrupted trial as failed and enqueue another one in its place.

        It has the same hyperparameters, until the trial has been suspect `MAX_ATTEMPTS` times; then the sampler
        suggests new ones. Because it starts before what was queued behind it, the sampler and the pruner see what they
        would have seen without the interruption.
        """
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        self._running.pop(number, None)
        if heartbeat := self._heartbeats.pop(number, None):
            heartbeat.set()
        trial = next(trial for trial in self._study.get_trials(deepcopy=False) if trial.number == number)
        with suppress(UpdateFinishedTrialError):  # if several processes notice, one of them ends and requeues it
            attempts = trial.user_attrs.get("attempts", 0) + suspect
            again = attempts < MAX_ATTEMPTS
            self._storage.set_trial_user_attr(trial._trial_id, "error", error)
            self._storage.set_trial_user_attr(trial._trial_id, "again", again)
            if self._storage.set_trial_state_values(trial._trial_id, TrialState.FAIL) and again:
                fixed = trial.system_attrs.get("fixed_params", {})
                # A sampler that was cut off in the middle of its suggestion starts over.
                suggested = trial.params if trial.params.keys() == self.search.space.keys() else {}
                notes = {"attempts": attempts, "place": _place_in_queue(trial)}
                self._study.enqueue_trial({**fixed, **suggested}, user_attrs=notes)
        self.enqueue_missing()

    def abandoned(self) -> Sequence[Trial]:
        """Return the running trials whose process on this machine has ended, or whose heartbeat has stopped."""
        from optuna.trial import TrialState

        running = self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        silent = set(self._without_heartbeat()) if running else set()
        found = [trial for trial in running if trial._trial_id in silent or _is_abandoned(trial)]
        return [_as_trial(trial) for trial in found if trial.number not in self._running]

    def trials(self) -> Sequence[Trial]:
        """Return all trials that have started, by number."""
        from optuna.trial import TrialState

        return [
            _as_trial(trial) for trial in self._study.get_trials(deepcopy=False) if trial.state != TrialState.WAITING
        ]

    def remaining(self) -> int:
        """Return the number of trials that have not ended yet."""
        return self.total - sum(trial.state.is_finished() for trial in self._kept())

    def available(self) -> int:
        """Return the number of trials that could start now."""
        return len(self._waiting())

    def _kept(self) -> "list[FrozenTrial]":
        """Return the first `total` trials that have not failed, queued ones included, in the order of the queue.

        There may be more for a moment: a process that fills the queue may see that a trial has ended as failed before
        the one that repeats it is in the queue.
        """
        from optuna.trial import TrialState

        trials = [trial for trial in self._study.get_trials(deepcopy=False) if trial.state != TrialState.FAIL]
        return sorted(trials, key=_place_in_queue)[: self.total]

    def _waiting(self) -> "list[FrozenTrial]":
        from optuna.trial import TrialState

        return [trial for trial in self._kept() if trial.state == TrialState.WAITING]

    def _start(self, queued: "FrozenTrial") -> bool:
        """Mark a queued trial as running; return False if another process did so first."""
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        with suppress(UpdateFinishedTrialError):
            return bool(self._storage.set_trial_state_values(queued._trial_id, TrialState.RUNNING))
        return False

    def _points(self, own: bool) -> Iterator[dict[str, Value]]:
        """Yield the fixed hyperparameters of further trials: the points of a grid not enqueued yet, otherwise none."""
        if self.search.algorithm.points:
            enqueued = set.union(*self._enqueued_points())
            return (point for point in self._all_points() if _key(point) not in enqueued)
        return itertools.chain([own_values(self.search)] if own else [], itertools.repeat({}))

    def _all_points(self) -> list[dict[str, Value]]:
        points = self.search.algorithm.points
        return points(self.search.space, self.search.seed) if points else []

    def _enqueued_points(self) -> tuple[set[str], set[str]]:
        """Return the points of the trials that have not failed, and of those that have."""
        from optuna.trial import TrialState

        kept: set[str] = set()
        failed: set[str] = set()
        for trial in self._study.get_trials(deepcopy=False):
            (failed if trial.state == TrialState.FAIL else kept).add(_key(trial.system_attrs["fixed_params"]))
        return kept, failed

    def _start_heartbeat(self, number: int) -> None:
        """Record every few seconds in the database that the trial's process is alive."""
        from optuna.storages import RDBStorage

        stop = self._heartbeats[number] = threading.Event()
        if not isinstance(self._storage, RDBStorage):
            return
        storage, trial_id = self._storage, self._running[number]._trial_id
        storage.record_heartbeat(trial_id)

        def beat() -> None:
            while not stop.wait(HEARTBEAT_SECONDS):
                with suppress(Exception):  # the next heartbeat will do
                    storage.record_heartbeat(trial_id)

        threading.Thread(target=beat, daemon=True).start()

    def _without_heartbeat(self) -> list[int]:
        from optuna.storages import RDBStorage

        return self._storage._get_stale_trial_ids(self._study_id) if isinstance(self._storage, RDBStorage) else []


def open_study(search: Search, place: str, total: int, make_run: Callable[[], str]) -> OptunaEngine:
    """Create the study of a search, or join it if it exists.

    Parameters
    ----------
    place, total
        As for `OptunaEngine`.
    make_run
        Called without arguments by the process that creates the study; returns the id of its MLflow run.

    Raises
    ------
    UsageError
        If a study of this name belongs to another search.
    DigitsError
        If its storage cannot be used.
    """
    import optuna

    storage = open_storage(place)
    try:
        study = optuna.create_study(study_name=search.name, storage=storage, direction="maximize")
    except optuna.exceptions.DuplicatedStudyError:
        study = optuna.load_study(study_name=search.name, storage=storage)
    else:
        _record_identity(study, search, make_run())
    _wait_for_identity(study, search, make_run)
    search.require_same(json.loads(study.user_attrs[IDENTITY]))
    engine = OptunaEngine(search, place, total)
    engine.enqueue_missing()
    return engine


def make_sampler(search: Search, place: int) -> "BaseSampler":
    """Build the sampler that suggests the trial at a place of the queue.

    Each place has its own sampler, seeded by the search's seed and the place. A sampler keeps its random state
    to itself, so one that is rebuilt after an interruption would repeat itself, and workers with the same seed would
    all suggest the same. What a sampler learns from is the study.
    """
    return search.build_sampler(search.seed, (search.seed * 1_000_003 + place) % 2**32)


def distribution(values: Range) -> Any:
    """Return Optuna's distribution for a range of the search space."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(values, Integers):
        return IntDistribution(values.low, values.high, step=values.step)
    if isinstance(values, Floats):
        return FloatDistribution(values.low, values.high, step=values.step, log=values.log)
    return CategoricalDistribution(values.values)


def own_values(search: Search) -> dict[str, Value]:
    """Return the recipe's own hyperparameters that lie in the search space."""
    params = search.recipe.params()
    return {name: params[name] for name, values in search.space.items() if params[name] in values}


def as_study(trials: Sequence[Trial], space: Space) -> "optuna.Study":
    """Build a study in memory from the ended trials of any engine, for Optuna's figures."""
    import optuna
    from optuna.trial import TrialState

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    states = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}
    study = optuna.create_study(direction="maximize")
    for trial in trials:
        params = {name: value for name, value in trial.params.items() if name in space}
        if trial.state in states and (trial.state != "complete" or trial.value is not None):
            study.add_trial(
                optuna.trial.create_trial(
                    state=states[trial.state],
                    params=params,
                    distributions={name: distribution(space[name]) for name in params},
                    value=trial.value if trial.state == "complete" else None,
                    intermediate_values=dict(enumerate(trial.curve, start=1)),
                )
            )
    return study


def _record_identity(study: "optuna.Study", search: Search, run_id: str) -> None:
    """Record which search the study belongs to; the identity last, because other processes wait for it."""
    study.set_user_attr(PARENT, run_id)
    study.set_user_attr("objective", VAL_ACCURACY)
    study.set_user_attr(IDENTITY, json.dumps(search.identity()))


def _wait_for_identity(study: "optuna.Study", search: Search, make_run: Callable[[], str]) -> None:
    """Wait until the process that created the study has recorded its identity; do it if that process was killed."""
    deadline = time.monotonic() + JOIN_SECONDS
    while IDENTITY not in study.user_attrs:
        if time.monotonic() > deadline:
            _record_identity(study, search, make_run())
        time.sleep(0.2)


def _suggest(trial: "optuna.Trial", name: str, values: Range) -> Value:
    if isinstance(values, Integers):
        return trial.suggest_int(name, values.low, values.high, step=values.step)
    if isinstance(values, Floats):
        return trial.suggest_float(name, values.low, values.high, step=values.step, log=values.log)
    return trial.suggest_categorical(name, values.values)


def _tidy(value: Value) -> Value:
    """Round 0.30000000000000004 to 0.3."""
    return float(f"{value:.15g}") if isinstance(value, float) else value


def _as_trial(trial: "FrozenTrial") -> Trial:
    states: Mapping[str, TrialState] = {
        "RUNNING": "running",
        "COMPLETE": "complete",
        "PRUNED": "pruned",
        "FAIL": "failed",
    }
    notes = trial.user_attrs
    return Trial(
        number=trial.number,
        state=states[trial.state.name],
        params={name: _tidy(value) for name, value in trial.params.items()},
        value=notes.get("value", trial.value if trial.state.name == "COMPLETE" else None),
        curve=[trial.intermediate_values[epoch] for epoch in sorted(trial.intermediate_values)],
        seconds=notes.get("seconds", _elapsed(trial)),
        run_id=notes.get("run"),
        process=notes.get("process"),
        error=notes.get("error"),
        again=notes.get("again", False),
    )


def _place_in_queue(trial: "FrozenTrial") -> int:
    """Return the number of the trial that this one repeats, or its own."""
    return int(trial.user_attrs.get("place", trial.number))


def _is_abandoned(trial: "FrozenTrial") -> bool:
    """Tell whether the process of a running trial has ended, perhaps before it recorded itself."""
    process = trial.user_attrs.get("process")
    return is_dead(process) if process else (_elapsed(trial) or 0) > GRACE_SECONDS


def _key(point: Mapping[str, Value]) -> str:
    return json.dumps(point, sort_keys=True)


def _elapsed(trial: "FrozenTrial") -> float | None:
    if trial.datetime_start is None:
        return None
    return ((trial.datetime_complete or datetime.now()) - trial.datetime_start).total_seconds()
