"""`digits run`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from digits_cli.options import DataDir, Debug, Experiment, Json, flag, network_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from digits_cli.console import Console
    from experiments.execution import PlanResult
    from experiments.tracking import Store
    from experiments.workflows.suite import PlannedStep


def _profiles() -> list[str]:
    from experiments.workflows.suite.profiles import PROFILES

    return list(PROFILES)


def run(
    profile: Annotated[
        str,
        typer.Option(
            metavar="quick|full|record",
            autocompletion=_profiles,
            help="quick: four networks on uci, which needs no download; minutes. "
            "full: eleven networks on mnist, five of them also on usps; hours. "
            "record: an ensemble for the best accuracy; hours.",
        ),
    ] = "quick",
    also: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL",
            autocompletion=network_names,
            help="Train and compare a further network, such as alexnet227; repeatable.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, flag("--dry-run", "Show the steps, which are done already, and how long the others take; run none.")
    ] = False,
    again: Annotated[bool, flag("--again", "Do all steps, also those that were done before.")] = False,
    workers: Annotated[int, typer.Option(help="Steps at the same time, each in a process of its own.")] = 1,
    data_dir: DataDir = None,
    experiment: Experiment = None,
    as_json: Json = False,
    debug: Debug = False,  # noqa: ARG001 - main looks for it
) -> None:
    """Run the suite: tune, train, evaluate, compare, analyze and transfer networks, and write the report.

    This is what `mlflow run .` starts. An interrupted suite is continued by the same command.

    Steps that an earlier suite did, with the same network, data, recipe and code, are not done again.

    A failed step stops only those that need it. The report lies in reports/PROFILE/.

    Example: digits run --profile quick
    """
    from digits_cli.console import Console, load_backend
    from experiments.execution import ExecutorConfig
    from experiments.tracking import open_store
    from experiments.workflows.suite import plan_suite, run_suite
    from experiments.workflows.suite import profile as profile_of

    chosen = profile_of(profile).also(also or ())
    executor = ExecutorConfig(workers) if workers != 1 else None
    with Console(as_json) as console:
        store = open_store(experiment)
        planned = plan_suite(store, chosen, data_dir, console, again)
        print_plan(console, chosen.name, planned)
        if dry_run:
            console.json({"run_id": None, "steps": [asdict(step) for step in planned]})
            return
    with Console(as_json) as console:
        if not executor:
            load_backend()
        with showing_failed_steps(partial(_print_outcome, console, store)):
            outcome = run_suite(store, chosen, data_dir, console, again, executor)
        _print_outcome(console, store, outcome)


def print_plan(console: "Console", profile: str, planned: "Sequence[PlannedStep]") -> None:
    """Show what is to be done, and how long it is expected to take."""
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
        f"{len(to_do)} of {len(planned)} steps to do{length}{unknown}, one after the other; times are those of "
        "earlier suites in this store, otherwise of those on the README's two cores"
    )


@contextmanager
def showing_failed_steps(show: "Callable[[PlanResult], None]") -> Iterator[None]:
    """Show how each step ended when some failed in the block."""
    from experiments.execution import StepsFailedError

    try:
        yield
    except StepsFailedError as error:
        show(error.result)
        raise


def print_steps(console: "Console", outcome: "PlanResult") -> None:
    """Show how each step ended, as a table and as the JSON value."""
    rows = [(step.name, step.status, f"{step.seconds:.1f}", step.error or step.run_id or "") for step in outcome.steps]
    console.table("Steps", ("step", "status", "seconds", "run"), rows)
    console.json(asdict(outcome))


def _print_outcome(console: "Console", store: "Store", outcome: "PlanResult") -> None:
    """Show what came of a suite, whether or not all of it."""
    _print_evaluations(console, store, outcome)
    print_steps(console, outcome)
    _print_report(console, outcome)
    console.where(store, outcome.run_id)


def _print_evaluations(console: "Console", store: "Store", outcome: "PlanResult") -> None:
    from digits_cli.evaluate import print_evaluation
    from experiments.workflows.evaluate import read

    for step in outcome.steps:
        if step.name.startswith("evaluate") and step.run_id:
            print_evaluation(console, read(store, step.run_id))


def _print_report(console: "Console", outcome: "PlanResult") -> None:
    for step in outcome.steps:
        if step.name == "report" and step.result:
            console.result(f"report: open {step.result['page']} in a browser")
