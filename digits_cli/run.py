"""`digits run`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from digits_cli.options import DataDir, Debug, Experiment, Json

if TYPE_CHECKING:
    from digits_cli.console import Console
    from experiments.workflows.steps import StepsResult


def run(
    profile: Annotated[
        str, typer.Option(help="quick: tunes mlp, trains it, mlp_small, lenet and cnn on uci, which needs no download.")
    ] = "quick",
    data_dir: DataDir = None,
    experiment: Experiment = None,
    as_json: Json = False,
    debug: Debug = False,  # noqa: ARG001 - main looks for it
) -> None:
    """Run the suite: tune a network, train several, then evaluate and compare them.

    This is what `mlflow run .` starts. An interrupted suite is continued by the same command.

    Example: digits run --profile quick
    """
    from digits_cli.console import Console, load_tensorflow
    from experiments.tracking import open_store
    from experiments.workflows import run as suite

    chosen = suite.profile(profile)
    with Console(as_json) as console:
        store = open_store(experiment)
        load_tensorflow()
        with failed_steps_shown(console):
            outcome = suite.run(store, chosen, data_dir, console)
        _print_comparison(console, outcome)
        print_steps(console, outcome)
        console.where(store, outcome.run_id)


@contextmanager
def failed_steps_shown(console: "Console") -> Iterator[None]:
    """Show how each step ended when some failed in the block."""
    from experiments.workflows.steps import StepsFailedError

    try:
        yield
    except StepsFailedError as error:
        print_steps(console, error.result)
        raise


def print_steps(console: "Console", outcome: "StepsResult") -> None:
    """Show how each step ended, as a table and as the JSON value."""
    rows = [(step.name, step.status, f"{step.seconds:.1f}", step.error or step.run_id or "") for step in outcome.steps]
    console.table("Steps", ("step", "status", "seconds", "run"), rows)
    console.json(asdict(outcome))


def _print_comparison(console: "Console", outcome: "StepsResult") -> None:
    from digits_cli.evaluate import print_evaluation
    from experiments.workflows.evaluate import EvaluateResult

    for step in outcome.steps:
        if step.name == "evaluate" and step.result:
            print_evaluation(console, EvaluateResult(**step.result))
