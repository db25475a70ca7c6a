"""Run the steps of a plan in the order of their dependencies."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from graphlib import TopologicalSorter
from time import perf_counter

from experiments.errors import DigitsError, first_line
from experiments.execution.executors import Executor, ExecutorConfig, Finished, InProcessExecutor
from experiments.execution.history import NO_HISTORY, STEPS_FILE, History, still_exists
from experiments.execution.progress import Progress, StepState, StepStatus
from experiments.execution.resume import ResumeState, resumable_run
from experiments.execution.steps import Inputs, Plan, PlanResult, Step, StepResult, StepsFailedError
from experiments.results import markdown_table
from experiments.tracking import Run, Store
from experiments.tracking.runs import end_children, release_frames

POLL_SECONDS = 1.0


def run_steps(
    store: Store,
    plan: Plan,
    progress: Progress | None = None,
    on_success: Callable[[Run, Sequence[StepResult]], None] | None = None,
    executor: ExecutorConfig | None = None,
    history: History = NO_HISTORY,
) -> PlanResult:
    """Run the steps of a plan under one parent run.

    A step that fails does not stop those that do not depend on it. Steps that an interrupted call or an earlier plan
    completed are not run again.

    Parameters
    ----------
    on_success
        Records the results of all steps on the parent run if none has failed.
    executor
        Runs steps side by side in other processes; None runs them one after another in this process.
    history
        Results to reuse; see `load_history`.

    Raises
    ------
    StepsFailedError
        At the end, if a step failed.
    """
    progress = progress or Progress()
    identity = {"steps": [step.name for step in plan.steps], **plan.identity}
    with (
        resumable_run(store, plan.kind, plan.name, identity, tags=plan.tags) as (run, saved),
        _ending_children(store, run.id),
        executor.open() if executor else InProcessExecutor() as pool,
    ):
        scheduler = _Scheduler(plan, run, saved, progress, pool, history)
        while scheduler.is_active():
            for step, inputs in scheduler.ready():
                try:
                    arguments = step.arguments(run.id, inputs)
                    pool.submit(step.name, step.workflow, *arguments, progress=scheduler.step_progress, parent=run.id)
                except Exception as error:  # of any kind: the other steps go on, and it is raised at the end
                    scheduler.finish(Finished(step.name, error=error))
            for finished in pool.wait(POLL_SECONDS) if pool.running() else ():
                scheduler.finish(finished)
        result = scheduler.result()
        run.log_metrics(_counts(result.steps))
        if scheduler.errors:
            raise StepsFailedError(result) from ExceptionGroup("failed steps", scheduler.errors)
        if on_success:
            on_success(run, result.steps)
    return result


@contextmanager
def _ending_children(store: Store, run_id: str) -> Iterator[None]:
    """If the block is interrupted, end the runs that stopped processes could not end themselves."""
    try:
        yield
    except BaseException as error:
        release_frames(error)
        end_children(store, run_id)
        raise


def _counts(steps: Sequence[StepResult]) -> dict[str, float]:
    """Count the steps by status, and sum the seconds of those that were run now."""
    statuses = ("done", "cached", "failed", "skipped")
    counts = {f"steps_{status}": float(sum(step.status == status for step in steps)) for status in statuses}
    return {**counts, "steps_seconds": sum(step.seconds for step in steps if step.status == "done")}


class _Scheduler:
    """Keeps the state of all steps: on the parent run, in the resume state and in the progress report.

    Attributes
    ----------
    step_progress
        Receives the progress of the steps themselves; those in other processes do not report any.
    errors
        Of the steps that failed.
    """

    def __init__(
        self, plan: Plan, run: Run, saved: ResumeState, progress: Progress, executor: Executor, history: History
    ) -> None:
        self._plan, self._run, self._saved = plan, run, saved
        self._progress, self._executor, self._history = progress, executor, history
        self._in_process = isinstance(executor, InProcessExecutor)
        self.step_progress = progress if self._in_process else Progress()
        self.errors: list[Exception] = []
        self._steps = {step.name: step for step in plan.steps}
        self._ended: dict[str, StepResult] = {}
        self._started: dict[str, float] = {}
        self._queue: list[str] = []
        self._sorter = TopologicalSorter({step.name: step.dependencies for step in plan.steps})
        self._sorter.prepare()
        run.describe(plan.description)

    def is_active(self) -> bool:
        """Return whether some steps have not ended."""
        return self._sorter.is_active()

    def ready(self) -> Iterator[tuple[Step, Inputs]]:
        """Yield the steps to start now with their inputs, as many as the executor has room for."""
        while step := self._next():
            inputs = step.inputs(self._ended)
            if missing := step.missing(inputs):
                self._end(StepResult(step.name, "skipped", 0.0, error=f"needs {', '.join(missing)}"))
            elif cached := self._cached(step, inputs):
                self._progress.log(f"{step.name}: cached")
                self._end(cached)
            elif self._executor.running() == self._executor.capacity:
                return
            else:
                self._start(step)
                yield step, inputs

    def finish(self, finished: Finished) -> None:
        """Record a step that the executor has finished."""
        seconds = perf_counter() - self._started.pop(finished.name)
        error = DigitsError(finished.crash) if finished.crash else finished.error
        if error:
            self.errors.append(error)
            self._progress.log(f"{finished.name}: failed: {first_line(error)}")
            self._end(StepResult(finished.name, "failed", seconds, error=first_line(error)))
            return
        step, result = self._steps[finished.name], finished.result
        key = step.key(step.inputs(self._ended))
        done = StepResult(step.name, "done", seconds, result.run_id, result.to_json(), key=key)
        self._saved.save(_saved_name(step), asdict(done))
        self._end(done)
        if not self._in_process:
            self._progress.log(f"{step.name}: done in {seconds:.0f} s")
            self._progress.advance(len(self._ended), len(self._steps))

    def result(self) -> PlanResult:
        """Return the outcomes of all steps in their order."""
        return PlanResult(self._run.id, tuple(self._ended[name] for name in self._steps))

    def _next(self) -> Step | None:
        """Return the first step in the plan's order whose dependencies have ended and that has not started."""
        self._queue += self._sorter.get_ready()
        waiting = [name for name in self._steps if name in self._queue]
        return self._steps[waiting[0]] if waiting else None

    def _cached(self, step: Step, inputs: Inputs) -> StepResult | None:
        """Return the result of a step from before an interruption, or from an earlier plan."""
        key = step.key(inputs)
        if key and (fields := self._saved.load(_saved_name(step))):
            saved = StepResult(**fields)
            if saved.key == key and still_exists(self._run.store, saved):
                return saved
        return self._history.results.get(key) if key else None

    def _start(self, step: Step) -> None:
        self._queue.remove(step.name)
        self._started[step.name] = perf_counter()
        self._report()
        if not self._in_process:
            self._progress.log(f"{step.name}: started")

    def _end(self, result: StepResult) -> None:
        if result.name in self._queue:
            self._queue.remove(result.name)
        self._ended[result.name] = result
        self._sorter.done(result.name)
        self._report()

    def _report(self) -> None:
        store, ended = self._run.store, self._ended
        self._progress.steps(self._plan.name, self._states())
        self._run.describe(f"{self._plan.description}\n\n{_status_table(store, self._plan.steps, ended)}")
        self._run.log_json([asdict(ended[name]) for name in self._steps if name in ended], STEPS_FILE)

    def _states(self) -> list[StepState]:
        """Return the states of all steps; expected times are scaled by the pace of those that were run now."""
        run_now = [end for end in self._ended.values() if end.status == "done" and self._steps[end.name].seconds]
        expected = sum(self._steps[end.name].seconds or 0 for end in run_now)
        pace = sum(end.seconds for end in run_now) / expected if expected else 1.0
        return [self._state(step, pace) for step in self._plan.steps]

    def _state(self, step: Step, pace: float) -> StepState:
        if end := self._ended.get(step.name):
            return StepState(step.name, end.status, end.seconds)
        status: StepStatus = "running" if step.name in self._started else "waiting"
        return StepState(step.name, status, step.seconds * pace if step.seconds else None)


def _status_table(store: Store, steps: Sequence[Step], ended: Mapping[str, StepResult]) -> str:
    """Return a Markdown table of the steps with links to their runs in the MLflow UI."""
    rows = []
    for step in steps:
        end = ended.get(step.name)
        run_id = end.run_id if end else None
        link = f"[{run_id[:8]}](#/experiments/{store.experiment_id}/runs/{run_id})" if run_id else ""
        rows.append((step.name, end.status if end else "to do", f"{end.seconds:.0f}" if end else "", link))
    return markdown_table(("step", "status", "seconds", "run"), rows)


def _saved_name(step: Step) -> str:
    return f"step-{step.name}"
