"""`digits train`."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from digits_cli.flags import Debug, Json
from digits_cli.options import (
    Cluster,
    DataDir,
    DatasetName,
    Experiment,
    Limit,
    Settings,
    WorkerCpus,
    WorkerGpus,
    Workers,
    chosen_settings,
    executor_config,
    network_names,
)
from experiments.errors import UsageError
from experiments.models import MODELS, Precision, trained_by

if TYPE_CHECKING:
    from digits_cli.console import Console
    from experiments.tracking import Store
    from experiments.workflows.train import SeedsResult, TrainOptions, TrainResult

MOST_SEEDS = 1000


def train(
    model: Annotated[
        str,
        typer.Argument(
            autocompletion=network_names,
            help="A network (see: digits models), or all: the networks of profile full, which are all but "
            f"{', '.join(name for name in MODELS if name not in trained_by('full'))}.",
        ),
    ],
    dataset: DatasetName = "mnist",
    epochs: Annotated[int | None, typer.Option(help="Maximum number of epochs.", show_default="the recipe's")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Batch size.", show_default="the recipe's")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Peak learning rate.", show_default="the recipe's")
    ] = None,
    precision: Annotated[
        Precision | None,
        typer.Option(help="bfloat16 is faster on processors that support it; auto detects them.", show_default="auto"),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Random seed.", show_default="0")] = None,
    seeds: Annotated[
        str | None, typer.Option(help="Train one model per seed, report mean and standard deviation: 0-4 or 1,5,7.")
    ] = None,
    limit: Limit = None,
    settings: Settings = None,
    from_study: Annotated[
        str | None,
        typer.Option(
            metavar="[NAME]",
            help="Train with the best hyperparameters of a study, by default the latest one of this network and "
            "dataset (see: digits tune).",
        ),
    ] = None,
    workers: Workers = 1,
    cluster: Cluster = None,
    worker_cpus: WorkerCpus = 1.0,
    worker_gpus: WorkerGpus = 0.0,
    data_dir: DataDir = None,
    experiment: Experiment = None,
    as_json: Json = False,
    debug: Debug = False,  # noqa: ARG001 - main looks for it
) -> None:
    """Train a network (or all), record the run in MLflow and register the model.

    Re-run the command to continue an interrupted run.

    With --json, --seeds prints mean and standard deviation, the version of the best seed, and all trainings as seeds.

    With --json, all prints run_id and steps, each with its status and its result or error; --seeds too if one failed.

    Example: digits train lenet --epochs 5 --set rotation=15
    """
    chosen = chosen_settings(
        settings, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, precision=precision, seed=seed
    )
    if seeds is not None and (model == "all" or "seed" in chosen):
        raise UsageError("--seeds needs one network and excludes --seed")
    if from_study is not None and model == "all":
        raise UsageError("--from-study needs one network")
    executor = executor_config(workers, cluster, worker_cpus, worker_gpus)
    apart = executor if cluster or workers > 1 else None
    if apart and model != "all" and seeds is None:
        raise UsageError("--workers and --cluster need all or --seeds: one training is one process")
    from digits_cli.console import Console, load_backend
    from digits_cli.run import print_steps, showing_failed_steps
    from experiments.tracking import open_store
    from experiments.workflows.train import AllOptions, TrainOptions, train_all, train_seeds
    from experiments.workflows.train import train as train_one

    how = (dataset, data_dir, chosen, limit)
    options = AllOptions(*how) if model == "all" else TrainOptions(model, *how)
    numbers = None if seeds is None else parse_seeds(seeds)
    with Console(as_json) as console:
        store = open_store(experiment)
        if from_study is not None and isinstance(options, TrainOptions):
            options = _from_study(store, options, from_study, console)
        if not apart:
            load_backend()
        with showing_failed_steps(partial(print_steps, console)):
            if isinstance(options, AllOptions):
                outcomes = train_all(store, options, console, apart)
                print_steps(console, outcomes)
                console.where(store, outcomes.run_id)
            elif numbers:
                spread = train_seeds(store, options, numbers, console, apart)
                _print_spread(console, store, spread)
            else:
                result = train_one(store, options, console)
                _print_training(console, store, result)


def parse_seeds(text: str) -> list[int]:
    """Parse seeds such as ``0-4``, ``1,5,7`` or ``0-2,7``.

    Raises
    ------
    UsageError
        If the text has another form.
    """
    numbers: list[int] = []
    for part in text.split(","):
        first, sign, last = part.strip().partition("-")
        if not first.isdecimal() or (sign and not last.isdecimal()):
            raise UsageError(f"--seeds needs numbers such as 0-4 or 1,5,7, received {text!r}")
        start, stop = int(first), int(last or first) + 1
        if not 1 <= stop - start <= MOST_SEEDS:
            raise UsageError(f"--seeds needs ranges of 1 to {MOST_SEEDS} numbers, received {text!r}")
        numbers.extend(range(start, stop))
    return numbers


def _print_training(console: "Console", store: "Store", result: "TrainResult") -> None:
    from experiments.tracking.registry import version_text

    champion = ", champion" if result.champion else ""
    console.result(
        f"{result.model} on {result.dataset}: validation accuracy {result.val_accuracy:.4f} "
        f"(epoch {result.best_epoch} of {result.epochs}, {result.seconds:.0f} s); "
        f"registered as {version_text(result.registered_model, result.version)}{champion}"
    )
    console.where(store, result.run_id)
    console.json(result.to_json())


def _print_spread(console: "Console", store: "Store", result: "SeedsResult") -> None:
    console.result(
        f"{result.model}: validation accuracy {result.val_accuracy:.4f} +- {result.val_accuracy_std:.4f} "
        f"over {len(result.seeds)} seeds"
    )
    console.where(store, result.run_id)
    console.json(result.to_json())


def _from_study(store: "Store", options: "TrainOptions", name: str, console: "Console") -> "TrainOptions":
    from experiments.workflows.train.studies import with_study

    tuned, study = with_study(store, options, name or None)
    values = ", ".join(f"{key} {value:.6g}" for key, value in study.best_params.items())
    console.log(f"with the best of study {study.name}: {values}")
    return tuned
