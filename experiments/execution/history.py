"""Results of the steps of earlier suites."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from experiments import tracking
from experiments.errors import DigitsError
from experiments.execution.steps import Step, StepResult
from experiments.tracking import Store
from experiments.tracking.past_runs import artifact_json
from experiments.tracking.registry import version_exists
from experiments.tracking.runs import run_exists

STEPS_FILE = "steps.json"


@dataclass(frozen=True)
class History:
    """Results of earlier suites.

    Attributes
    ----------
    results
        Results that need not be computed again, by `Step.key`.
    seconds
        Last wall time of each step, by the names of plan and step: steps of the same name may differ between plans.
    """

    results: Mapping[str, StepResult]
    seconds: Mapping[tuple[str, str], float]


NO_HISTORY = History({}, {})


def load_history(store: Store) -> History:
    """Load the results of earlier suites, whether or not these succeeded, as far as their runs still exist."""
    results: dict[str, StepResult] = {}
    seconds: dict[tuple[str, str], float] = {}
    for suite in tracking.past_runs(store, "suite", finished=False):
        for step in _recorded_steps(store, suite.id):
            seconds.setdefault((suite.name, step.name), step.seconds)
            if step.key and step.key not in results and still_exists(store, step):
                results[step.key] = replace(step, status="cached")
    return History(results, seconds)


def _recorded_steps(store: Store, run_id: str) -> list[StepResult]:
    """Return the steps of a suite that succeeded; none if its record is missing or unreadable."""
    try:
        steps = [StepResult(**fields) for fields in artifact_json(store, run_id, STEPS_FILE)]
    except (DigitsError, ValueError, TypeError):
        return []
    return [step for step in steps if step.succeeded]


def still_exists(store: Store, step: StepResult) -> bool:
    """Return whether the run of a step, and the model version that it registered, have not been deleted."""
    result = step.result or {}
    if result.get("version") and not version_exists(store, result["registered_model"], result["version"]):
        return False
    return step.run_id is not None and run_exists(store, step.run_id)


def cached_results(steps: Sequence[Step], history: History = NO_HISTORY) -> tuple[StepResult | None, ...]:
    """Return, for each of the steps in their order, its result if it is in the history, else None."""
    found: dict[str, StepResult] = {}
    for step in steps:
        if all(name in found for name in step.dependencies):
            key = step.key(step.inputs(found))
            if key and (result := history.results.get(key)):
                found[step.name] = result
    return tuple(found.get(step.name) for step in steps)
