"""Searches by Optuna, in one process or in many on many machines."""

import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from experiments.models.space import Choices, Floats, Integers, Space, Value
from experiments.processes import is_dead
from experiments.tuning.samplers import distribution, make_pruner, make_sampler
from experiments.tuning.search import MOST_ATTEMPTS, OBJECTIVE, Search, State, Trial
from experiments.tuning.storage import GRACE_SECONDS, HEARTBEAT_SECONDS, open_storage

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

IDENTITY, PARENT = "digits.search", "digits.run"
JOIN_SECONDS = 10  # to wait for another process that has just made the study to say what it is


class OptunaEngine:
    """A study and the slots for its trials.

    Optuna counts the trials that a process is still to begin, so that several processes, or one that is started again,
    do not end at the number asked for. Here the trials are laid out beforehand as slots (trials that wait). A slot is
    taken by one process alone, and only while it is among the first `total` trials that have not failed: a slot too
    many, which two processes may have added at once, is never taken.

    Parameters
    ----------
    search
        What is searched; the study must exist (see `open_study`).
    place
        As `experiments.tuning.storage.open_storage` takes it.
    total
        Trials to end as complete or pruned, those of earlier calls among them.
    """

    def __init__(self, search: Search, place: str, total: int) -> None:
        import optuna

        self.search = search
        self._wanted, self._place = total, place
        self._storage = open_storage(place)
        self._study = optuna.load_study(study_name=search.name, storage=self._storage, pruner=make_pruner(search))
        self._study_id = self._storage.get_study_id_from_name(search.name)
        self._open: dict[int, optuna.Trial] = {}
        self._hearts: dict[int, threading.Event] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return OptunaEngine, (self.search, self._place, self._wanted)

    @property
    def total(self) -> int:
        """Trials to end as complete or pruned; a grid's points that failed cannot be made up for by others."""
        if self.search.sampler != "grid":
            return self._wanted
        kept, failed = self._laid_out()
        return min(self._wanted, len(grid(self.search)) - len(failed - kept))

    def parent_run(self) -> str:
        """Return the MLflow run of the study."""
        return str(self._study.user_attrs[PARENT])

    def lay_out(self) -> None:
        """Add the slots that are missing: the model's own recipe first, then what the sampler will suggest."""
        slots = self._slots()
        points = self._points(own=self.search.own_first and not slots)
        for _ in range(self.total - len(slots)):
            self._study.enqueue_trial(next(points))

    def claim(self, process: str) -> Trial | None:
        """Take the next slot for a process and let the sampler fill it; None where there is none just now."""
        import optuna

        for slot in self._waiting():
            if self._take(slot):
                self._study.sampler = make_sampler(self.search, slot.number)
                trial = optuna.Trial(self._study, slot._trial_id)
                trial.set_user_attr("process", process)
                self._open[slot.number] = trial
                self._start_heart(slot.number)
                params = {name: _tidy(_suggest(trial, name, values)) for name, values in self.search.space.items()}
                return Trial(slot.number, "running", params, process=process)
        return None

    def begin(self, number: int, run_id: str) -> None:
        """Note the MLflow run of a trial."""
        self._open[number].set_user_attr("run", run_id)

    def report(self, number: int, epoch: int, value: float) -> bool:
        """Note the validation accuracy after an epoch; return whether the pruner would stop here."""
        trial = self._open[number]
        trial.report(value, epoch)
        return bool(epoch < self.search.recipe.epochs and trial.should_prune())

    def finish(self, number: int, state: State, value: float | None, seconds: float, error: str | None = None) -> None:
        """End a trial."""
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        trial = self._open.pop(number, None)
        if trial is None:  # it has ended before, and then the store failed
            return
        self._hearts.pop(number).set()
        states = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}
        notes = {"seconds": seconds, "value": value, "error": error}
        with suppress(UpdateFinishedTrialError):  # this machine had fallen silent and the trial was given to another
            for name, note in notes.items():
                if note is not None:
                    trial.set_user_attr(name, note)
            self._study.tell(trial, value if state == "complete" else None, states[state], skip_if_finished=True)
        if state == "failed":
            self.lay_out()

    def give_back(self, number: int, error: str) -> None:
        """End as failed a trial whose process was stopped or is gone, and add a slot for it.

        The slot tries the same again, up to `MOST_ATTEMPTS`; then the sampler fills it.
        """
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        self._open.pop(number, None)
        if heart := self._hearts.pop(number, None):
            heart.set()
        trial = next(trial for trial in self._study.get_trials(deepcopy=False) if trial.number == number)
        with suppress(UpdateFinishedTrialError):  # of several that notice, one ends it and adds the slot
            attempt = trial.user_attrs.get("attempt", 1)
            again = attempt < MOST_ATTEMPTS
            self._storage.set_trial_user_attr(trial._trial_id, "error", error)
            self._storage.set_trial_user_attr(trial._trial_id, "again", again)
            if self._storage.set_trial_state_values(trial._trial_id, TrialState.FAIL) and again:
                tried = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
                self._study.enqueue_trial(tried, user_attrs={"attempt": attempt + 1})
        self.lay_out()

    def stale(self) -> Sequence[Trial]:
        """Return the running trials whose process is gone from this machine, or whose machine has fallen silent."""
        from optuna.trial import TrialState

        running = self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        silent = set(self._silent()) if running else set()
        found = [trial for trial in running if trial._trial_id in silent or _is_abandoned(trial)]
        return [_as_trial(trial) for trial in found if trial.number not in self._open]

    def trials(self) -> Sequence[Trial]:
        """Return all trials that were begun, by number."""
        from optuna.trial import TrialState

        return [
            _as_trial(trial) for trial in self._study.get_trials(deepcopy=False) if trial.state != TrialState.WAITING
        ]

    def remaining(self) -> int:
        """Return how many trials are still to be ended."""
        return self.total - sum(trial.state.is_finished() for trial in self._slots())

    def claimable(self) -> int:
        """Return how many slots could be taken now."""
        return len(self._waiting())

    def _slots(self) -> "list[FrozenTrial]":
        from optuna.trial import TrialState

        trials = self._study.get_trials(deepcopy=False)
        return [trial for trial in trials if trial.state != TrialState.FAIL][: self.total]

    def _waiting(self) -> "list[FrozenTrial]":
        from optuna.trial import TrialState

        return [trial for trial in self._slots() if trial.state == TrialState.WAITING]

    def _take(self, slot: "FrozenTrial") -> bool:
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        with suppress(UpdateFinishedTrialError):
            return bool(self._storage.set_trial_state_values(slot._trial_id, TrialState.RUNNING))
        return False

    def _points(self, own: bool) -> Iterator[dict[str, Value]]:
        """Yield what each further slot fixes: for a grid a point that none has, else nothing but in the very first."""
        if self.search.sampler == "grid":
            kept, failed = self._laid_out()
            return (point for point in grid(self.search) if _key(point) not in kept | failed)
        return itertools.chain([own_values(self.search)] if own else [], itertools.repeat({}))

    def _laid_out(self) -> tuple[set[str], set[str]]:
        """Return the points that slots fix, first of those that have not failed, then of those that have."""
        from optuna.trial import TrialState

        kept: set[str] = set()
        failed: set[str] = set()
        for trial in self._study.get_trials(deepcopy=False):
            (failed if trial.state == TrialState.FAIL else kept).add(_key(trial.system_attrs["fixed_params"]))
        return kept, failed

    def _start_heart(self, number: int) -> None:
        """Tell a database every few seconds that the trial is alive."""
        from optuna.storages import RDBStorage

        stop = self._hearts[number] = threading.Event()
        if not isinstance(self._storage, RDBStorage):
            return
        storage, trial_id = self._storage, self._open[number]._trial_id
        storage.record_heartbeat(trial_id)

        def beat() -> None:
            while not stop.wait(HEARTBEAT_SECONDS):
                with suppress(Exception):  # a beat that is missed is made good by the next
                    storage.record_heartbeat(trial_id)

        threading.Thread(target=beat, daemon=True).start()

    def _silent(self) -> list[int]:
        from optuna.storages import RDBStorage

        return self._storage._get_stale_trial_ids(self._study_id) if isinstance(self._storage, RDBStorage) else []


def open_study(search: Search, place: str, total: int, make_run: Callable[[], str]) -> OptunaEngine:
    """Make the study of a search, or join the one there is.

    Parameters
    ----------
    place, total
        As for `OptunaEngine`.
    make_run
        Called without arguments by the process that makes the study; returns the id of its MLflow run.

    Raises
    ------
    UsageError
        When a study of this name was another search.
    DigitsError
        When its storage cannot be used.
    """
    import optuna

    storage = open_storage(place)
    try:
        study = optuna.create_study(study_name=search.name, storage=storage, direction="maximize")
    except optuna.exceptions.DuplicatedStudyError:
        study = optuna.load_study(study_name=search.name, storage=storage)
    else:
        _introduce(study, search, make_run())
    _wait_for_introduction(study, search, make_run)
    search.require_same(json.loads(study.user_attrs[IDENTITY]))
    engine = OptunaEngine(search, place, total)
    engine.lay_out()
    return engine


def grid(search: Search) -> list[dict[str, Value]]:
    """Return all points of the grid over the search space, in an order drawn by the search's seed."""
    names = list(search.space)
    points = [
        dict(zip(names, point, strict=True))
        for point in itertools.product(*(search.space[name].grid() for name in names))
    ]
    random.Random(search.seed).shuffle(points)  # noqa: S311 - no secret
    return points


def own_values(search: Search) -> dict[str, Value]:
    """Return the values that the recipe has itself, where they lie in the space."""
    params = search.recipe.params()
    return {name: params[name] for name, values in search.space.items() if params[name] in values}


def as_study(trials: Sequence[Trial], space: Space) -> "optuna.Study":
    """Return a study in memory with the ended trials of any engine, for Optuna's figures."""
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


def _introduce(study: "optuna.Study", search: Search, run_id: str) -> None:
    """Write down what the study is; the identity last, for the others wait for it."""
    study.set_user_attr(PARENT, run_id)
    study.set_user_attr("objective", OBJECTIVE)
    study.set_user_attr(IDENTITY, json.dumps(search.identity()))


def _wait_for_introduction(study: "optuna.Study", search: Search, make_run: Callable[[], str]) -> None:
    """Wait until the process that made the study has introduced it; do it for one that was killed before it could."""
    deadline = time.monotonic() + JOIN_SECONDS
    while IDENTITY not in study.user_attrs:
        if time.monotonic() > deadline:
            _introduce(study, search, make_run())
        time.sleep(0.2)


def _suggest(trial: "optuna.Trial", name: str, values: Integers | Floats | Choices) -> Value:
    if isinstance(values, Integers):
        return trial.suggest_int(name, values.low, values.high, step=values.step)
    if isinstance(values, Floats):
        return trial.suggest_float(name, values.low, values.high, step=values.step, log=values.log)
    return trial.suggest_categorical(name, values.values)


def _tidy(value: Value) -> Value:
    """Return 0.3 for Optuna's 0.30000000000000004."""
    return float(f"{value:.15g}") if isinstance(value, float) else value


def _as_trial(trial: "FrozenTrial") -> Trial:
    states: Mapping[str, State] = {"RUNNING": "running", "COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}
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


def _is_abandoned(trial: "FrozenTrial") -> bool:
    """Tell whether the process of a running trial is gone from this machine, maybe before it could say who it is."""
    process = trial.user_attrs.get("process")
    return is_dead(process) if process else (_elapsed(trial) or 0) > GRACE_SECONDS


def _key(point: Mapping[str, Value]) -> str:
    return json.dumps(point, sort_keys=True)


def _elapsed(trial: "FrozenTrial") -> float | None:
    if trial.datetime_start is None:
        return None
    return ((trial.datetime_complete or datetime.now()) - trial.datetime_start).total_seconds()
