"""Several pieces of work under one MLflow run, each of which may be done already, fail, or be missing what it needs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any, Literal, Protocol

from experiments import tracking
from experiments.errors import DigitsError, first_line
from experiments.tracking import Run, Store
from experiments.tracking.runs import Kind
from experiments.workflows.listener import Listener
from experiments.workflows.unfinished import Unfinished, unfinished

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
        Does it, given the id of the parent run and how the steps before it ended, by name.
    needs
        Names of the steps without which it makes no sense.
    """

    name: str
    work: Callable[[str, Mapping[str, "StepResult"]], Result]
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
) -> StepsResult:
    """Do the steps in order under one parent run.

    A step that fails does not stop those that do not need it. Steps that an interrupted call had done are not
    done again.

    Parameters
    ----------
    conclude
        Records results of all steps on the parent run when none has failed.

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
        steps, errors = _do_all(plan.steps, run.id, notes, listener)
        result = StepsResult(run.id, steps)
        run.log_json([asdict(step) for step in result.steps], "steps.json")
        if errors:
            raise StepsFailedError(result) from ExceptionGroup("failed steps", errors)
        if conclude:
            conclude(run, result.steps)
    return result


def _do_all(
    steps: Sequence[Step], parent: str, notes: Unfinished, listener: Listener
) -> tuple[tuple[StepResult, ...], list[Exception]]:
    """Return how each step ended, and the errors of those that failed."""
    ended: dict[str, StepResult] = {}
    errors: list[Exception] = []
    for step in steps:
        start = perf_counter()
        try:
            ended[step.name] = _do(step, parent, ended, notes, listener)
        except Exception as error:  # whatever it is, the other steps go on and it is reported at the end
            errors.append(error)
            ended[step.name] = StepResult(step.name, "failed", perf_counter() - start, error=first_line(error))
            listener.say(f"{step.name}: failed: {first_line(error)}")
    return tuple(ended.values()), errors


def _do(step: Step, parent: str, ended: Mapping[str, StepResult], notes: Unfinished, listener: Listener) -> StepResult:
    missing = [name for name in step.needs if ended[name].status != "done"]
    if missing:
        return StepResult(step.name, "left out", 0.0, error=f"needs {', '.join(missing)}")
    if remembered := notes.recall(f"step-{step.name}"):
        listener.say(f"{step.name}: done before")
        return StepResult(**remembered)
    start = perf_counter()
    result = step.work(parent, ended)
    done = StepResult(step.name, "done", perf_counter() - start, result.run_id, asdict(result))  # type: ignore[call-overload]
    notes.remember(f"step-{step.name}", asdict(done))
    return done
