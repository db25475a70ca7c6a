"""`digits data`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from digits_cli.flags import Debug, Json
from digits_cli.options import DataDir, Experiment
from experiments.datasets import CLASSES
from experiments.datasets.derivations import DERIVATIONS
from experiments.datasets.published import PUBLISHED

app = typer.Typer(help="List, fetch and show the data.", epilog="Example: digits data show usps", no_args_is_help=True)

Name = Annotated[
    str,
    typer.Argument(
        help=f"{', '.join(PUBLISHED)}, one of these with {' or '.join(DERIVATIONS)}, "
        "or a folder of IDX files or of images 0/ ... 9/."
    ),
]


@app.command("list")
def list_(data_dir: DataDir = None, as_json: Json = False, debug: Debug = False) -> None:  # noqa: ARG001 - main looks for debug
    """List the data: sizes, source and state on this machine.

    Example: digits data list
    """
    from digits_cli.console import Console
    from experiments.datasets import catalog

    with Console(as_json) as console:
        listings = catalog(data_dir)
        rows = [
            (
                data.name,
                f"{data.sizes[0]:,} + {data.sizes[1]:,}",
                f"{data.shape[0]}x{data.shape[1]}",
                data.state,
                data.found or "",
                data.homepage,
            )
            for data in listings
        ]
        console.table("Data", ("name", "train + test", "size", "state", "folder", "source"), rows)
        for suffix, derivation in DERIVATIONS.items():
            console.result(f"{', '.join(data.name + suffix for data in listings)}: {derivation.description}")
        console.json([{**asdict(data), "found": str(data.found) if data.found else None} for data in listings])


@app.command()
def fetch(name: Name, data_dir: DataDir = None, as_json: Json = False, debug: Debug = False) -> None:  # noqa: ARG001
    """Download and verify data, unless it is on this machine already.

    Example: digits data fetch mnist
    """
    from digits_cli.console import Console
    from experiments.datasets import fetch as work

    with Console(as_json) as console:
        console.stage(f"fetch {name}")
        folder = work(name, data_dir, console.download)
        console.result(f"{name} is in {folder}, verified")
        console.json({"dataset": name, "folder": str(folder)})


@app.command()
def show(
    name: Name,
    output: Annotated[Path, typer.Option(help="Folder for the figures.")] = Path("reports/data"),
    data_dir: DataDir = None,
    experiment: Experiment = None,
    as_json: Json = False,
    debug: Debug = False,  # noqa: ARG001
) -> None:
    """Draw sample digits and the class distribution, write them to files and log them.

    Example: digits data show usps
    """
    from digits_cli.console import Console
    from experiments.tracking import open_store
    from experiments.workflows.data import show as work

    with Console(as_json) as console:
        store = open_store(experiment)
        result = work(store, name, output, data_dir, console)
        rows = [(split, f"{sum(counts):,}", *counts) for split, counts in result.counts.items()]
        console.table(
            f"{result.dataset} (to 28x28: {result.transform})",
            ("split", "digits", *map(str, range(CLASSES))),
            rows,
        )
        for file in result.files:
            console.result(f"wrote {file}")
        console.where(store, result.run_id)
        console.json(asdict(result))
