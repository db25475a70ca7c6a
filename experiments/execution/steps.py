"""Plans: steps with dependencies, each of which calls one workflow."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from experiments.errors import DigitsError
from experiments.tracking.runs import Kind

Status = Literal["done", "cached", "failed", "skipped"]


class WorkflowResult(Protocol):
    """The result of a workflow."""

    @property
    def run_id(self) -> str:
        """Id of the MLflow run that holds it."""

    def to_json(self) -> dict[str, Any]:
        """Return it as the JSON object that ``--json`` prints."""


@dataclass(frozen=True)
class StepResult:
    """The outcome of a step.

    Attributes
    ----------
    status
        ``cached`` if an earlier plan computed the result.
    seconds
        Wall time of the computation.
    run_id, result
        Of the workflow's result: the id of its run, and its JSON object.
    error
        Why there is no result.
    key
        See `Step.key`.
    """

    name: str
    status: Status
    seconds: float
    run_id: str | None = None
    result: Mapping[str, Any] | None = None
    error: str | None = None
    key: str | None = None

    @property
    def succeeded(self) -> bool:
        """Whether there is a result, computed or cached."""
        return self.status in ("done", "cached")


Inputs = Mapping[str, StepResult]
"""Results of the steps that a step depends on, by name."""


@dataclass(frozen=True)
class Step:
    """One call of a workflow, whose arguments may depend on the results of other steps.

    Attributes
    ----------
    name
        Unique within a plan.
    workflow
        Called with `arguments`, and with ``progress`` and ``parent`` by keyword; returns a `WorkflowResult`. Must be
        picklable, like the arguments, if it runs in another process.
    arguments
        Builds the positional arguments from the id of the parent run and the step's inputs.
    requires
        Names of the steps that must succeed for this one to run.
    optional
        Names of optional dependencies. The step runs once all of them have ended, if at least one succeeded.
    identity
        JSON values: everything that the result depends on besides the inputs. A step with the same identity and the
        same inputs is not run again. None if it always runs.
    seconds
        Expected wall time; None if unknown.
    """

    name: str
    workflow: Callable[..., WorkflowResult]
    arguments: Callable[[str, Inputs], tuple[Any, ...]]
    requires: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    identity: Mapping[str, Any] | None = field(default_factory=dict)
    seconds: float | None = None

    @property
    def dependencies(self) -> tuple[str, ...]:
        """Names of all steps that must have ended before this one starts."""
        return (*self.requires, *self.optional)

    def inputs(self, ended: Mapping[str, StepResult]) -> dict[str, StepResult]:
        """Return the results of its dependencies, as far as they succeeded."""
        return {name: ended[name] for name in self.dependencies if name in ended and ended[name].succeeded}

    def missing(self, inputs: Inputs) -> tuple[str, ...]:
        """Return the names of the dependencies for lack of which it cannot run."""
        required = tuple(name for name in self.requires if name not in inputs)
        return required if not self.optional or set(self.optional) & inputs.keys() else (*required, *self.optional)

    def key(self, inputs: Inputs) -> str | None:
        """Compute a digest of its identity and the runs of its inputs; None without an identity."""
        if self.identity is None:
            return None
        runs = {name: result.run_id for name, result in inputs.items()}
        text = json.dumps([self.name, dict(self.identity), runs], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Plan:
    """Steps, and the parent run that their runs belong to.

    Attributes
    ----------
    kind, name, description, tags
        Of the parent run; the description is Markdown.
    identity
        JSON values that distinguish the plan from others of the same name and steps.

    Raises
    ------
    ValueError
        If two steps have the same name, or a step depends on one that the plan does not have.
    """

    kind: Kind
    name: str
    steps: Sequence[Step]
    identity: Mapping[str, Any]
    description: str
    tags: Mapping[str, str]

    def __post_init__(self) -> None:
        names = [step.name for step in self.steps]
        unknown = {name for step in self.steps for name in step.dependencies} - {*names}
        if unknown or len({*names}) < len(names):
            raise ValueError(f"names must be unique, received {names}; unknown dependencies: {sorted(unknown)}")


@dataclass(frozen=True)
class PlanResult:
    """The parent run and the outcome of each step, in order."""

    run_id: str
    steps: tuple[StepResult, ...]


class StepsFailedError(DigitsError):
    """Some steps failed. The others are done, and re-running the command runs the failed ones only.

    Its cause is the group of the steps' errors.
    """

    def __init__(self, result: PlanResult) -> None:
        self.result = result
        reasons = [f"{step.name} ({step.error})" for step in result.steps if step.status == "failed"]
        super().__init__(f"{len(reasons)} of {len(result.steps)} steps failed: {'; '.join(reasons)}")
