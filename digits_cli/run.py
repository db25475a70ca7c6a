"""`digits run`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from digits_cli.flags import Debug, Json, flag
from digits_cli.options import DataDir, Experiment, network_names
from experiments.workflows.suite.profiles import PROFILES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from digits_cli.console import Console
    from experiments.execution import PlanResult
    from experiments.tracking import Store
    from experiments.workflows.suite.run import PlannedStep


def run(
    profile: Annotated[
        str,
        typer.Option(
            metavar="|".join(PROFILES),
            autocompletion=lambda: list(PROFILES),
            help=" ".join(f"{one.name}: {one.summary}." for one in PROFILES.values()),
        ),
    ] = "quick",
    also: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL",
            autocompletion=network_names,
            help="Also train and compare this network, for example alexnet227; repeatable.",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        flag("--dry-run", "Show the steps, which of them are cached, and the expected time of the others; run none."),
    ] = False,
    again: Annotated[bool, flag("--again", "Run all steps, cached ones too.")] = False,
    workers: Annotated[int, typer.Option(help="Steps to run side by side, each in its own process.")] = 1,
    data_dir: DataDir = None,
    experiment: Experiment = None,
    as_json: Json = False,
    debug: Debug = False,  # noqa: ARG001 - main looks for it
) -> None:
    """Run the suite: tune, train, evaluate, compare, analyze and transfer networks, and write the report.

    This is what `mlflow run .` starts. Re-run the command to continue an interrupted suite.

    Results of an earlier suite with the same network, data, recipe and code are reused.

    A failed step stops only the steps that depend on it. The report is written to reports/PROFILE/.

    Example: digits run --profile quick
    """
    from digits_cli.console import Console, load_backend
    from experiments.execution import ExecutorConfig
    from experiments.tracking import open_store
    from experiments.workflows.suite.profiles import profile as profile_of
    from experiments.workflows.suite.run import plan_suite, run_suite

    chosen = profile_of(profile).also(also or ())
    executor = ExecutorConfig(workers) if workers != 1 else None
    with Console(as_json) as console:
        store = open_store(experiment)
        planned = plan_suite(store, chosen, data_dir, console, again)
        print_plan(console, chosen.name, planned.steps)
        if dry_run:
            console.json({"run_id": None, "steps": [asdict(step) for step in planned.steps]})
            return
    with Console(as_json) as console:
        if not executor:
            load_backend()
        with showing_failed_steps(partial(_print_outcome, console, store)):
            outcome = run_suite(store, planned, console, executor)
        _print_outcome(console, store, outcome)


def print_plan(console: "Console", profile: str, planned: "Sequence[PlannedStep]") -> None:
    """Print the steps of a suite and their expected time."""
    from digits_cli.progress_tree import duration

    rows = [
        (step.name, step.status, "" if step.seconds is None else duration(step.seconds), step.run_id or "")
        for step in planned
    ]
    console.table(f"Plan of suite {profile}", ("step", "status", "about", "run"), rows)
    to_do = [step.seconds for step in planned if step.status == "to do"]
    known = [seconds for seconds in to_do if seconds is not None]
    length = f": about {duration(sum(known))}" if known else ""
    unknown = f", {len(to_do) - len(known)} of unknown length" if len(known) < len(to_do) else ""
    console.result(
        f"{len(to_do)} of {len(planned)} steps to do{length}{unknown}, one after another; times were measured by "
        "earlier suites in this store, or else on the two cores that the README names"
    )


@contextmanager
def showing_failed_steps(show: "Callable[[PlanResult], None]") -> Iterator[None]:
    """Print the outcome of each step if some failed in the block."""
    from experiments.execution import StepsFailedError

    try:
        yield
    except StepsFailedError as error:
        show(error.result)
        raise


def print_steps(console: "Console", outcome: "PlanResult") -> None:
    """Print the outcome of each step, as a table and as the JSON value."""
    rows = [(step.name, step.status, f"{step.seconds:.1f}", step.error or step.run_id or "") for step in outcome.steps]
    console.table("Steps", ("step", "status", "seconds", "run"), rows)
    console.json(asdict(outcome))


def _print_outcome(console: "Console", store: "Store", outcome: "PlanResult") -> None:
    """Print the results of a suite, complete or not."""
    _print_evaluations(console, store, outcome)
    print_steps(console, outcome)
    _print_report(console, outcome)
    console.where(store, outcome.run_id)


def _print_evaluations(console: "Console", store: "Store", outcome: "PlanResult") -> None:
    from digits_cli.evaluate import print_evaluation
    from experiments.tracking import results_table

    for step in outcome.steps:
        if step.name.startswith("evaluate") and step.run_id:
            print_evaluation(console, results_table(store, step.run_id))


def _print_report(console: "Console", outcome: "PlanResult") -> None:
    for step in outcome.steps:
        if step.name == "report" and step.result:
            console.result(f"report: open {step.result['page']} in a browser")
