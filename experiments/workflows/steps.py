"""Several pieces of work under one MLflow run, each of which may be done already, fail, or be missing what it needs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any, Literal, Protocol, Self

from experiments import tracking
from experiments.errors import DigitsError, first_line
from experiments.tracking import Run, Store
from experiments.tracking.runs import Kind
from experiments.workflows.listener import Listener
from experiments.workflows.unfinished import Unfinished, unfinished
from experiments.workflows.workers import Ended, Place, Workers

POLL_SECONDS = 1.0
Status = Literal["done", "failed", "left out"]


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
        Does it, given the id of the parent run, how the steps it needs ended, by name, and who hears of its progress.
        Picklable, if workers in other processes are to do it.
    needs
        Names of the steps without which it makes no sense.
    """

    name: str
    work: Callable[[str, Mapping[str, "StepResult"], Listener], Result]
    needs: tuple[str, ...] = ()


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
    """How a step ended. `result` holds the fields of what it returned; `error` says why it did not."""

    name: str
    status: Status
    seconds: float
    run_id: str | None = None
    result: Mapping[str, Any] | None = None
    error: str | None = None


@dataclass(frozen=True)
class StepsResult:
    """The parent run and how each step ended, in order."""

    run_id: str
    steps: tuple[StepResult, ...]


class StepsFailedError(DigitsError):
    """Some steps failed; the others are done, and the same command repeats the failed ones only.

    Its cause is the group of the steps' errors.
    """

    def __init__(self, result: StepsResult) -> None:
        self.result = result
        reasons = [f"{step.name} ({step.error})" for step in result.steps if step.status == "failed"]
        super().__init__(f"{len(reasons)} of {len(result.steps)} steps failed: {'; '.join(reasons)}")


def run_steps(
    store: Store,
    plan: Plan,
    listener: Listener | None = None,
    conclude: Callable[[Run, Sequence[StepResult]], None] | None = None,
    place: Place | None = None,
) -> StepsResult:
    """Do the steps under one parent run, in order, or side by side where workers do them.

    A step that fails does not stop those that do not need it. Steps that an interrupted call had done are not
    done again.

    Parameters
    ----------
    conclude
        Records results of all steps on the parent run when none has failed.
    place
        Where workers do the steps; None does them in this process, one after the other.

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
        with _no_child_left(store, run.id), place.open() if place else Here() as workers:
            steps, errors = Doing(plan.steps, run.id, notes, listener, workers).all()
        result = StepsResult(run.id, steps)
        run.log_json([asdict(step) for step in result.steps], "steps.json")
        if errors:
            raise StepsFailedError(result) from ExceptionGroup("failed steps", errors)
        if conclude:
            conclude(run, result.steps)
    return result


@contextmanager
def _no_child_left(store: Store, run_id: str) -> Iterator[None]:
    """End, when the steps are stopped, the runs that workers had no time, or no say, to end themselves."""
    try:
        yield
    except BaseException as error:
        tracking.let_go(error)
        tracking.end_children(store, run_id)
        raise


class Here:
    """Workers that are this process: a piece of work is done as soon as it is begun."""

    capacity = 1

    def __init__(self) -> None:
        self._ended: list[Ended] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def start(self, name: str, work: Callable[..., Any], *arguments: Any) -> None:
        """Do a piece of work."""
        try:
            self._ended.append(Ended(name, work(*arguments)))
        except Exception as error:
            self._ended.append(Ended(name, error=error))

    def running(self) -> int:
        """Return how many pieces have ended and not been told."""
        return len(self._ended)

    def ended(self, seconds: float) -> list[Ended]:  # noqa: ARG002 - there is nothing to wait for
        """Return the piece that has ended."""
        told, self._ended = self._ended, []
        return told


class Doing:
    """The doing of some steps by workers: which have ended, and which may begin."""

    def __init__(
        self, steps: Sequence[Step], parent: str, notes: Unfinished, listener: Listener, workers: Workers
    ) -> None:
        self._steps, self._parent, self._notes = steps, parent, notes
        self._listener, self._workers = listener, workers
        self._heard = listener if isinstance(workers, Here) else Listener()  # a terminal stays where it is
        self._ended: dict[str, StepResult] = {}
        self._begun: dict[str, float] = {}
        self._errors: list[Exception] = []

    def all(self) -> tuple[tuple[StepResult, ...], list[Exception]]:
        """Do all steps; return how each ended, in their order, and the errors of those that failed."""
        while len(self._ended) < len(self._steps):
            for step in self._steps:
                if step.name not in self._ended | self._begun and all(name in self._ended for name in step.needs):
                    self._begin(step)
            for ended in self._workers.ended(POLL_SECONDS) if self._begun else ():
                self._end(ended)
        return tuple(self._ended[step.name] for step in self._steps), self._errors

    def _begin(self, step: Step) -> None:
        """Begin a step if a worker is free, unless it was done before or cannot be done."""
        missing = [name for name in step.needs if self._ended[name].status != "done"]
        if missing:
            self._ended[step.name] = StepResult(step.name, "left out", 0.0, error=f"needs {', '.join(missing)}")
        elif remembered := self._notes.recall(f"step-{step.name}"):
            self._listener.say(f"{step.name}: done before")
            self._ended[step.name] = StepResult(**remembered)
        elif self._workers.running() < self._workers.capacity:
            self._begun[step.name] = perf_counter()
            if self._heard is not self._listener:
                self._listener.say(f"{step.name}: begun")
            needed = {name: self._ended[name] for name in step.needs}
            self._workers.start(step.name, step.work, self._parent, needed, self._heard)

    def _end(self, ended: Ended) -> None:
        seconds = perf_counter() - self._begun.pop(ended.name)
        error = DigitsError(ended.died) if ended.died else ended.error
        if error:  # whatever it is, the other steps go on and it is reported at the end
            self._errors.append(error)
            self._ended[ended.name] = StepResult(ended.name, "failed", seconds, error=first_line(error))
            self._listener.say(f"{ended.name}: failed: {first_line(error)}")
            return
        done = StepResult(ended.name, "done", seconds, ended.result.run_id, asdict(ended.result))
        self._notes.remember(f"step-{ended.name}", asdict(done))
        self._ended[ended.name] = done
        if self._heard is not self._listener:
            self._listener.say(f"{ended.name}: done in {seconds:.0f} s")
            self._listener.advance(len(self._ended), len(self._steps))
