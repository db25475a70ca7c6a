"""Several pieces of work under one MLflow run, each of which may be done already, fail, or be missing what it needs."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from time import perf_counter
from typing import Any, Literal, Protocol

from experiments import tracking
from experiments.errors import DigitsError, first_line
from experiments.reporting import markdown_table
from experiments.tracking import Run, Store
from experiments.tracking.runs import Kind
from experiments.workflows.listener import Listener, Standing, State
from experiments.workflows.unfinished import Unfinished, unfinished
from experiments.workflows.workers import Ended, InProcess, Place, Workers

POLL_SECONDS = 1.0
Status = Literal["done", "done before", "failed", "left out"]
RECORD = "steps.json"


class Result(Protocol):
    """What a piece of work returns: a frozen dataclass of JSON values with the id of its run."""

    @property
    def run_id(self) -> str:
        """Id of the run that the work made."""


@dataclass(frozen=True)
class Step:
    """A piece of work.

    Attributes
    ----------
    name
        Unique among its neighbours.
    work
        Does it, given the id of the parent run, the results of the steps it needs or uses, by name, and who hears of
        its progress.
        Picklable, if workers in other processes are to do it.
    needs
        Names of the steps without which it makes no sense.
    uses
        Names of the steps that it makes the most of: it waits for them all, and makes do with those that are done, of
        which there must be one.
    identity
        All that its result depends on beside the steps it needs, as JSON values: a step that was done with the same
        is not done again. None has it done again always.
    seconds
        What it is expected to take; None where nobody knows.
    """

    name: str
    work: Callable[[str, Mapping[str, "StepResult"], Listener], Result]
    needs: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    identity: Mapping[str, Any] | None = field(default_factory=dict)
    seconds: float | None = None

    def given(self, ended: Mapping[str, "StepResult"]) -> dict[str, "StepResult"]:
        """Return, of the steps that have ended, the results that its work is given."""
        return {name: ended[name] for name in (*self.needs, *self.uses) if name in ended and ended[name].is_done}

    def key(self, given: Mapping[str, "StepResult"]) -> str | None:
        """Return what stands for its identity and the runs of the steps it is given; None without an identity."""
        if self.identity is None:
            return None
        runs = {name: result.run_id for name, result in given.items()}
        text = json.dumps([self.name, dict(self.identity), runs], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Plan:
    """Steps and the parent run they go under.

    Attributes
    ----------
    kind, name, description, tags
        Of the parent run; the description is Markdown.
    identity
        What makes this the same work as an interrupted one's, beside the names of the steps, as JSON values.
    """

    kind: Kind
    name: str
    steps: Sequence[Step]
    identity: Mapping[str, Any]
    description: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class StepResult:
    """How a step ended.

    Attributes
    ----------
    status
        ``done before`` where an earlier plan had done it.
    seconds
        What it took when it was done.
    run_id, result
        Of what the work returned: the id of its run, and all its fields.
    error
        Why it did not return.
    key
        As `Step.key`.
    """

    name: str
    status: Status
    seconds: float
    run_id: str | None = None
    result: Mapping[str, Any] | None = None
    error: str | None = None
    key: str | None = None

    @property
    def is_done(self) -> bool:
        """Whether there is a result, from now or from before."""
        return self.status in ("done", "done before")


@dataclass(frozen=True)
class StepsResult:
    """The parent run and how each step ended, in order."""

    run_id: str
    steps: tuple[StepResult, ...]


@dataclass(frozen=True)
class Earlier:
    """Steps that plans before had done.

    Attributes
    ----------
    results
        By key.
    seconds
        What steps took when they were done last, by the names of plan and step: another plan's step of the same name
        may be other work.
    """

    results: Mapping[str, StepResult]
    seconds: Mapping[tuple[str, str], float]


NOTHING = Earlier({}, {})


class StepsFailedError(DigitsError):
    """Some steps failed; the others are done, and the same command repeats the failed ones only.

    Its cause is the group of the steps' errors.
    """

    def __init__(self, result: StepsResult) -> None:
        self.result = result
        reasons = [f"{step.name} ({step.error})" for step in result.steps if step.status == "failed"]
        super().__init__(f"{len(reasons)} of {len(result.steps)} steps failed: {'; '.join(reasons)}")


def earlier_steps(store: Store) -> Earlier:
    """Return what plans of kind ``suite`` had done, however they ended, as far as its runs are still there."""
    results: dict[str, StepResult] = {}
    seconds: dict[tuple[str, str], float] = {}
    for suite in tracking.find_runs(store, "suite", {}):
        for step in _recorded(store, suite.id):
            seconds.setdefault((suite.name, step.name), step.seconds)
            if step.key and step.key not in results and _still_there(store, step):
                results[step.key] = replace(step, status="done before")
    return Earlier(results, seconds)


def _recorded(store: Store, run_id: str) -> list[StepResult]:
    """Return the steps of a suite that are done; none where its record is gone or not ours."""
    try:
        steps = [StepResult(**fields) for fields in tracking.artifact_json(store, run_id, RECORD)]
    except (DigitsError, ValueError, TypeError):
        return []
    return [step for step in steps if step.is_done]


def _still_there(store: Store, step: StepResult) -> bool:
    """Tell whether nobody has deleted the run of a step, or the version that it registered."""
    version = (step.result or {}).get("version")
    if version and not tracking.has_version(store, (step.result or {})["registered_model"], version):
        return False
    return step.run_id is not None and tracking.run_exists(store, step.run_id)


def foresee(steps: Sequence[Step], earlier: Earlier = NOTHING) -> tuple[StepResult | None, ...]:
    """Return, for each of the steps, what would be taken from an earlier plan, or None where it would be done."""
    known: dict[str, StepResult] = {}
    for step in steps:
        if all(name in known for name in (*step.needs, *step.uses)):
            key = step.key(step.given(known))
            if key and (found := earlier.results.get(key)):
                known[step.name] = found
    return tuple(known.get(step.name) for step in steps)


def run_steps(
    store: Store,
    plan: Plan,
    listener: Listener | None = None,
    conclude: Callable[[Run, Sequence[StepResult]], None] | None = None,
    place: Place | None = None,
    earlier: Earlier = NOTHING,
) -> StepsResult:
    """Do the steps under one parent run, in order, or side by side where workers do them.

    A step that fails does not stop those that do not need it. Steps that an interrupted call or an earlier plan had
    done are not done again.

    Parameters
    ----------
    conclude
        Records results of all steps on the parent run when none has failed.
    place
        Where workers do the steps; None does them in this process, one after the other.
    earlier
        What need not be done again, as `earlier_steps` returns it.

    Raises
    ------
    StepsFailedError
        At the end, when a step failed.
    """
    listener = listener or Listener()
    with (
        unfinished(store, plan.name, {"steps": [step.name for step in plan.steps], **plan.identity}) as notes,
        tracking.open_run(store, plan.kind, plan.name, tags=plan.tags, resume=notes.recall("run")) as run,
    ):
        notes.remember("run", run.id)
        run.describe(plan.description)

        def tell(ended: Mapping[str, StepResult], standings: Sequence[Standing]) -> None:
            listener.steps(plan.name, standings)
            run.describe(f"{plan.description}\n\n{_account(store, plan.steps, ended)}")
            run.log_json([asdict(ended[step.name]) for step in plan.steps if step.name in ended], RECORD)

        with _no_child_left(store, run.id), place.open() if place else InProcess() as workers:
            steps, errors = Scheduler(plan.steps, run, notes, listener, workers, earlier, tell).all()
        result = StepsResult(run.id, steps)
        run.log_metrics(_counts(result.steps))
        if errors:
            raise StepsFailedError(result) from ExceptionGroup("failed steps", errors)
        if conclude:
            conclude(run, result.steps)
    return result


def _counts(steps: Sequence[StepResult]) -> dict[str, float]:
    """Return how many steps ended in which way, and the seconds of those that were done now."""
    ways = {
        "steps_done": "done",
        "steps_done_before": "done before",
        "steps_failed": "failed",
        "steps_left_out": "left out",
    }
    counts = {name: float(sum(step.status == status for step in steps)) for name, status in ways.items()}
    return {**counts, "steps_seconds": sum(step.seconds for step in steps if step.status == "done")}


def _account(store: Store, steps: Sequence[Step], ended: Mapping[str, StepResult]) -> str:
    """Return a table of how the steps stand, in Markdown, with links to their runs in MLflow's pages."""
    rows = []
    for step in steps:
        end = ended.get(step.name)
        where = (
            f"[{end.run_id[:8]}](#/experiments/{store.experiment_id}/runs/{end.run_id})" if end and end.run_id else ""
        )
        rows.append((step.name, end.status if end else "to do", f"{end.seconds:.0f}" if end else "", where))
    return markdown_table(("step", "status", "seconds", "run"), rows)


@contextmanager
def _no_child_left(store: Store, run_id: str) -> Iterator[None]:
    """End, when the steps are stopped, the runs that workers had no time, or no say, to end themselves."""
    try:
        yield
    except BaseException as error:
        tracking.let_go(error)
        tracking.end_children(store, run_id)
        raise


class Scheduler:
    """The doing of some steps by workers: which have ended, and which may begin."""

    def __init__(
        self,
        steps: Sequence[Step],
        parent: Run,
        notes: Unfinished,
        listener: Listener,
        workers: Workers,
        earlier: Earlier,
        tell: Callable[[Mapping[str, StepResult], Sequence[Standing]], None],
    ) -> None:
        self._steps, self._parent, self._notes, self._earlier, self._tell = steps, parent, notes, earlier, tell
        self._listener, self._workers = listener, workers
        self._heard = listener if isinstance(workers, InProcess) else Listener()  # a terminal stays where it is
        self._ended: dict[str, StepResult] = {}
        self._begun: dict[str, float] = {}
        self._errors: list[Exception] = []

    def all(self) -> tuple[tuple[StepResult, ...], list[Exception]]:
        """Do all steps; return how each ended, in their order, and the errors of those that failed."""
        while len(self._ended) < len(self._steps):
            for step in self._steps:
                waited = all(name in self._ended for name in (*step.needs, *step.uses))
                if waited and step.name not in self._ended | self._begun:
                    self._begin(step)
            for ended in self._workers.ended(POLL_SECONDS) if self._begun else ():
                self._end(ended)
        return tuple(self._ended[step.name] for step in self._steps), self._errors

    def _begin(self, step: Step) -> None:
        """Begin a step if a worker is free, unless it was done before or cannot be done."""
        given = step.given(self._ended)
        missing = [name for name in step.needs if name not in given]
        if step.uses and not set(step.uses) & given.keys():
            missing += step.uses
        if missing:
            self._note(StepResult(step.name, "left out", 0.0, error=f"needs {', '.join(missing)}"))
        elif before := self._done_before(step, given):
            self._listener.say(f"{step.name}: done before")
            self._note(before)
        elif self._workers.running() < self._workers.capacity:
            self._begun[step.name] = perf_counter()
            self._tell(self._ended, self._standings())
            if self._heard is not self._listener:
                self._listener.say(f"{step.name}: begun")
            self._workers.start(step.name, step.work, self._parent.id, given, self._heard)

    def _done_before(self, step: Step, given: Mapping[str, StepResult]) -> StepResult | None:
        """Return the result of a step from before an interruption, or from an earlier plan."""
        key = step.key(given)
        if key and (remembered := self._notes.recall(_note_of(step.name))):
            before = StepResult(**remembered)
            if before.key == key and _still_there(self._parent.store, before):
                return before
        return self._earlier.results.get(key) if key else None

    def _end(self, ended: Ended) -> None:
        seconds = perf_counter() - self._begun.pop(ended.name)
        error = DigitsError(ended.died) if ended.died else ended.error
        if error:  # whatever it is, the other steps go on and it is reported at the end
            self._errors.append(error)
            self._listener.say(f"{ended.name}: failed: {first_line(error)}")
            self._note(StepResult(ended.name, "failed", seconds, error=first_line(error)))
            return
        step = next(step for step in self._steps if step.name == ended.name)
        result, key = ended.result, step.key(step.given(self._ended))
        done = StepResult(ended.name, "done", seconds, result.run_id, asdict(result), key=key)
        self._notes.remember(_note_of(ended.name), asdict(done))
        self._note(done)
        if self._heard is not self._listener:
            self._listener.say(f"{ended.name}: done in {seconds:.0f} s")
            self._listener.advance(len(self._ended), len(self._steps))

    def _note(self, result: StepResult) -> None:
        self._ended[result.name] = result
        self._tell(self._ended, self._standings())

    def _standings(self) -> list[Standing]:
        """Return how the steps stand; what is expected of those to come follows the pace of those that are over."""
        now = [(step.seconds, self._ended[step.name].seconds) for step in self._steps if self._is_now(step)]
        expected = sum(seconds for seconds, _ in now if seconds)
        pace = sum(taken for seconds, taken in now if seconds) / expected if expected else 1.0
        return [self._standing(step, pace) for step in self._steps]

    def _is_now(self, step: Step) -> bool:
        return step.name in self._ended and self._ended[step.name].status == "done"

    def _standing(self, step: Step, pace: float) -> Standing:
        if step.name in self._ended:
            end = self._ended[step.name]
            return Standing(step.name, end.status, end.seconds)
        state: State = "running" if step.name in self._begun else "waiting"
        return Standing(step.name, state, step.seconds * pace if step.seconds else None)


def _note_of(step: str) -> str:
    return f"step-{step}"
