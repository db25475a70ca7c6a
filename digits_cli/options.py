"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from experiments.errors import UsageError


def _existing(folder: Path | None) -> Path | None:
    if folder and not folder.expanduser().is_dir():
        raise UsageError(f"there is no folder {folder}; --data-dir needs one that exists")
    return folder


DataDir = Annotated[
    Path | None,
    typer.Option(
        help="Folder with mnist/ and usps/.",
        callback=_existing,
        show_default="$DIGITS_DATA_DIR, then the user cache",
    ),
]
Dataset = Annotated[
    str,
    typer.Option("--dataset", "-d", help="mnist, usps, uci, or a folder of IDX files or of images 0/ ... 9/."),
]
Experiment = Annotated[
    str | None,
    typer.Option(help="MLflow experiment.", show_default="$MLFLOW_EXPERIMENT_NAME, then digits"),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON value to stdout, everything else to stderr.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
