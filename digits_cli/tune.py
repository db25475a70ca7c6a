"""`digits tune`."""

from typing import Annotated

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
from experiments.tuning import DEFAULT_ENGINE, ENGINES, PRUNERS, samplers_of
from experiments.tuning.search import EXAMPLE_URL


def tune(
    model: Annotated[str, typer.Argument(autocompletion=network_names, help="A network (see: digits models).")],
    dataset: DatasetName = "mnist",
    trials: Annotated[int, typer.Option(help="Total number of trials, those of earlier calls included.")] = 20,
    engine: Annotated[str, typer.Option(metavar="|".join(ENGINES), help="Search library.")] = DEFAULT_ENGINE,
    sampler: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="; ".join(f"{name}: {', '.join(samplers_of(name))}" for name in ENGINES) + ".",
            show_default="; ".join(samplers_of(name)[0] for name in ENGINES),
        ),
    ] = None,
    pruner: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(PRUNERS),
            help="Stops trials early that fall behind others.",
            show_default=ENGINES[DEFAULT_ENGINE].pruner,
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Maximum number of epochs of a trial.", show_default="the recipe's")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the search and of each training.", show_default="0")] = None,
    limit: Limit = None,
    settings: Settings = None,
    study: Annotated[
        str | None,
        typer.Option(help="Name of the study.", show_default=f"DATASET-MODEL, then the engine if not {DEFAULT_ENGINE}"),
    ] = None,
    workers: Workers = 1,
    storage: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help=f"Database to share the study with other machines: {EXAMPLE_URL}.",
            show_default="a file of this project",
        ),
    ] = None,
    cluster: Cluster = None,
    worker_cpus: WorkerCpus = 1.0,
    worker_gpus: WorkerGpus = 0.0,
    data_dir: DataDir = None,
    experiment: Experiment = None,
    as_json: Json = False,
    debug: Debug = False,  # noqa: ARG001 - main looks for it
) -> None:
    """Search for the hyperparameters of a network; each trial is a child run.

    Re-run the command to continue an interrupted search; use a higher number of --trials to extend it.

    Settings given by --set are fixed. Train with the best hyperparameters: digits train MODEL --from-study.

    Example: digits tune mlp --trials 20 --workers 2
    """
    from digits_cli.console import Console
    from experiments.workflows.tune.run import TuneOptions
    from experiments.workflows.tune.run import tune as work

    options = TuneOptions(
        model=model,
        dataset=dataset,
        data_dir=data_dir,
        settings=chosen_settings(settings, epochs=epochs, seed=seed),
        limit=limit,
        trials=trials,
        engine=engine,
        sampler=sampler,
        pruner=pruner,
        study=study,
        storage=storage,
        executor=executor_config(workers, cluster, worker_cpus, worker_gpus),
    )
    from experiments.tracking import open_store

    with Console(as_json) as console:
        store = open_store(experiment)
        result = work(store, options, console)
        rows = [(name, f"{value:.6g}") for name, value in result.best_params.items()]
        title = f"Best of {result.trials} trials: validation accuracy {result.best_value:.4f}"
        console.table(title, ("hyperparameter", "value"), rows)
        console.result(
            f"pruned: {result.pruned}, failed: {result.failed}, interrupted and repeated: {result.repeated}; "
            f"train with the best: digits train {model} --dataset {dataset} --from-study {result.study}"
        )
        console.where(store, result.run_id)
        console.json(result.to_json())
