"""Run a profile: networks tuned, trained, compared, analyzed, transferred and reported on, under one run."""

from dataclasses import dataclass, replace
from pathlib import Path

from experiments.execution import (
    ExecutorConfig,
    History,
    Plan,
    PlanResult,
    Progress,
    cached_results,
    load_history,
    run_steps,
)
from experiments.execution.history import NO_HISTORY
from experiments.tracking import Store
from experiments.workflows.suite.pipeline import Pipeline
from experiments.workflows.suite.profiles import Profile


@dataclass(frozen=True)
class PlannedStep:
    """A step that is to be run, or whose result is cached.

    Attributes
    ----------
    status
        ``to do`` or ``cached``.
    seconds
        The time that it is expected to take, or took; None if unknown.
    run_id
        Of the cached result.
    """

    name: str
    status: str
    seconds: float | None
    run_id: str | None


def run_suite(
    store: Store,
    profile: Profile,
    data_dir: Path | None = None,
    progress: Progress | None = None,
    again: bool = False,
    executor: ExecutorConfig | None = None,
) -> PlanResult:
    """Run all steps of a profile whose results are not cached; after an interruption, those that are left.

    The result of a step is cached if an earlier suite ran it with the same network, data, recipe, code and libraries,
    and with the same inputs.

    Parameters
    ----------
    again
        Whether to run cached steps too.
    executor
        Runs independent steps side by side in other processes; None runs all one after another in this process.

    Raises
    ------
    DigitsError
        If data is missing.
    StepsFailedError
        At the end, if a step failed.
    """
    progress = progress or Progress()
    history = load_history(store)
    plan = _plan(store, profile, data_dir, progress, history, again)
    return run_steps(store, plan, progress, executor=executor, history=NO_HISTORY if again else history)


def plan_suite(
    store: Store, profile: Profile, data_dir: Path | None = None, progress: Progress | None = None, again: bool = False
) -> tuple[PlannedStep, ...]:
    """Return the steps that `run_suite` would run or take from the cache; parameters and errors are the same."""
    history = load_history(store)
    steps = _plan(store, profile, data_dir, progress or Progress(), history, again).steps
    cached = cached_results(steps, NO_HISTORY if again else history)
    return tuple(
        PlannedStep(step.name, found.status, found.seconds, found.run_id)
        if found
        else PlannedStep(step.name, "to do", step.seconds, None)
        for step, found in zip(steps, cached, strict=True)
    )


def _plan(
    store: Store, profile: Profile, data_dir: Path | None, progress: Progress, history: History, again: bool
) -> Plan:
    name = f"suite {profile.name}"
    steps = [
        replace(step, seconds=history.seconds.get((name, step.name), profile.seconds.get(step.name, step.seconds)))
        for step in Pipeline(store, profile, data_dir, progress).steps()
    ]
    return Plan(
        kind="suite",
        name=name,
        steps=steps,
        identity={"profile": profile.name, "again": again},
        description=f"Profile **{profile.name}**: {profile.summary}.",
        tags={"digits.dataset": profile.dataset},
    )
