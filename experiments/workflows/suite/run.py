"""Plan and run a profile: networks tuned, trained, compared, analyzed, transferred and reported on, under one run."""

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
from experiments.tracking.tags import subject_tags
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


@dataclass(frozen=True)
class SuitePlan:
    """A plan, with the results that it reuses."""

    plan: Plan
    history: History

    @property
    def steps(self) -> tuple[PlannedStep, ...]:
        """The steps that `run_suite` runs or takes from the cache, in order."""
        cached = cached_results(self.plan.steps, self.history)
        return tuple(
            PlannedStep(step.name, found.status, found.seconds, found.run_id)
            if found
            else PlannedStep(step.name, "to do", step.seconds, None)
            for step, found in zip(self.plan.steps, cached, strict=True)
        )


def plan_suite(
    store: Store, profile: Profile, data_dir: Path | None = None, progress: Progress | None = None, again: bool = False
) -> SuitePlan:
    """Plan the steps of a profile.

    The result of a step is cached if an earlier suite ran it with the same network, data, recipe, code and libraries,
    and with the same inputs.

    Parameters
    ----------
    again
        Whether to run cached steps too.

    Raises
    ------
    DigitsError
        If data is missing.
    """
    name, history = f"suite {profile.name}", load_history(store)
    steps = [
        replace(step, seconds=history.seconds.get((name, step.name), profile.seconds.get(step.name, step.seconds)))
        for step in Pipeline(store, profile, data_dir, progress or Progress()).steps()
    ]
    plan = Plan(
        kind="suite",
        name=name,
        steps=steps,
        identity={"profile": profile.name, "again": again},
        description=f"Profile **{profile.name}**: {profile.summary}.",
        tags=subject_tags(dataset=profile.dataset),
    )
    return SuitePlan(plan, NO_HISTORY if again else history)


def run_suite(
    store: Store, planned: SuitePlan, progress: Progress | None = None, executor: ExecutorConfig | None = None
) -> PlanResult:
    """Run the steps of a suite whose results are not cached; after an interruption, those that are left.

    Parameters
    ----------
    executor
        Runs independent steps side by side in other processes; None runs all one after another in this process.

    Raises
    ------
    StepsFailedError
        At the end, if a step failed.
    """
    return run_steps(store, planned.plan, progress, executor=executor, history=planned.history)
