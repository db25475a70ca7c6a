"""`digits report`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digits_cli.flags import Debug, Json
from digits_cli.options import Experiment

if TYPE_CHECKING:
    from digits_cli.console import Console
    from experiments.workflows.report.run import ReportResult


def report(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the page, pictures and numbers.")] = Path(
        "reports"
    ),
    check: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write nothing; compare a results.json or RESULTS.md and its pictures with the tracking store.",
        ),
    ] = None,
    experiment: Experiment = None,
    as_json: Json = False,
    debug: Debug = False,  # noqa: ARG001 - main looks for it
) -> None:
    """Write one offline page on all networks: tables, figures and texts, each with the run behind it.

    Everything is read from MLflow, a server included. Figures are drawn from the data that runs recorded.

    The numbers are written next to the page: results.json for programs, RESULTS.md for people.

    Example: digits report --output reports/
    """
    from digits_cli.console import Console
    from experiments.tracking import open_store
    from experiments.workflows.report import check as compare
    from experiments.workflows.report import report as work

    with Console(as_json) as console:
        store = open_store(experiment, create=False)
        if check:
            agreed = compare(store, check)
            what = f"{agreed.numbers} numbers and {agreed.pictures} pictures of {agreed.runs} runs"
            console.result(f"{agreed.file}: {what} agree with the store")
            console.json(asdict(agreed))
        else:
            written = work(store, output, console)
            print_report(console, written)
            console.json(asdict(written))


def print_report(console: "Console", written: "ReportResult") -> None:
    """Print the contents of the report and the missing sections."""
    for title, command in written.left_out.items():
        console.result(f"{title}: nothing yet; make it with: {command}")
    size = f"{written.networks} trained networks, {written.pictures} pictures, {written.runs} runs"
    console.result(f"{size}: open {written.page} in a browser")
