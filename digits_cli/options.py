"""Options that several commands share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from experiments.datasets.derivations import DERIVATIONS
from experiments.datasets.published import PUBLISHED
from experiments.errors import UsageError
from experiments.models import MODELS

if TYPE_CHECKING:
    from experiments.execution.executors import ExecutorConfig


def _existing(folder: Path | None) -> Path | None:
    if folder and not folder.expanduser().is_dir():
        raise UsageError(f"there is no folder {folder}; --data-dir needs one that exists")
    return folder


def network_names() -> list[str]:
    """Return the names of networks for shell completion."""
    return list(MODELS)


DOWNLOADED = [name for name, published in PUBLISHED.items() if not published.bundle]
TRAINABLE = [suffix for suffix, derivation in DERIVATIONS.items() if derivation.trainable]

DataDir = Annotated[
    Path | None,
    typer.Option(
        help=f"Folder with {' and '.join(f'{name}/' for name in DOWNLOADED)}.",
        callback=_existing,
        show_default="$DIGITS_DATA_DIR, then the user cache",
    ),
]
DatasetName = Annotated[
    str,
    typer.Option(
        "--dataset",
        "-d",
        help=f"{', '.join(PUBLISHED)}, one of them with {' or '.join(TRAINABLE)}, "
        "or a folder of IDX files or of images 0/ ... 9/.",
    ),
]
Models = Annotated[
    list[str],
    typer.Option(
        "--model",
        "-m",
        metavar="MODEL",
        autocompletion=network_names,
        help="lenet, mnist-lenet, models:/NAME/3, models:/NAME@champion, runs:/ID or a .keras file; repeatable.",
    ),
]
Experiment = Annotated[
    str | None,
    typer.Option(help="MLflow experiment.", show_default="$MLFLOW_EXPERIMENT_NAME, then digits"),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Replace any value of the recipe; repeatable."),
]
Limit = Annotated[int | None, typer.Option(help="Number of training images: a stratified sample.")]
Workers = Annotated[int, typer.Option(help="Trainings to run side by side, each in its own process.")]
Cluster = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Ray cluster that runs the trainings: auto, HOST:6379 or ray://HOST:10001.",
        show_default="this machine",
    ),
]
WorkerCpus = Annotated[float, typer.Option(help="CPUs per training, with --cluster.")]
WorkerGpus = Annotated[float, typer.Option(help="GPUs per training, with --cluster.")]


def chosen_settings(texts: list[str] | None, **typed: Any) -> dict[str, Any]:
    """Collect the changes of the recipe from `--set` and from dedicated options, which take precedence.

    Raises
    ------
    UsageError
        For a text without ``=``.
    """
    pairs = [text.partition("=") for text in texts or []]
    for text, (key, sign, value) in zip(texts or [], pairs, strict=True):
        if not (key and sign and value):
            raise UsageError(f"--set needs key=value, received {text!r}")
    own = {name: value for name, value in typed.items() if value is not None}
    return {**{key.strip(): value.strip() for key, _, value in pairs}, **own}


def executor_config(workers: int, cluster: str | None, cpus: float, gpus: float) -> "ExecutorConfig":
    """Build the executor config from the command's options.

    Raises
    ------
    UsageError
        For a number out of range.
    """
    from experiments.execution.executors import ExecutorConfig

    return ExecutorConfig(workers, cluster, cpus, gpus)
