"""`digits tune`."""

from dataclasses import asdict
from typing import Annotated

import typer

from digits_cli.options import (
    Cluster,
    DataDir,
    Dataset,
    Debug,
    Experiment,
    Json,
    Limit,
    Settings,
    WorkerCpus,
    WorkerGpus,
    Workers,
    chosen_settings,
    executor_config,
    network_names,
)
from experiments.tuning import ENGINES, PRUNERS, SAMPLERS


def tune(
    model: Annotated[str, typer.Argument(autocompletion=network_names, help="A network (see: digits models).")],
    dataset: Dataset = "mnist",
    trials: Annotated[int, typer.Option(help="Trials in all, those of earlier calls among them.")] = 20,
    engine: Annotated[str, typer.Option(metavar="|".join(ENGINES), help="Who searches.")] = "optuna",
    sampler: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="; ".join(f"{name}: {', '.join(names)}" for name, names in SAMPLERS.items()) + ".",
            show_default="tpe; bayesian",
        ),
    ] = None,
    pruner: Annotated[
        str | None,
        typer.Option(metavar="|".join(PRUNERS), help="Stops trials early that promise little.", show_default="median"),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs of a trial at most.", show_default="the recipe's")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the search and of each training.", show_default="0")] = None,
    limit: Limit = None,
    settings: Settings = None,
    study: Annotated[
        str | None, typer.Option(help="Name of the study.", show_default="DATASET-MODEL, with another engine its name")
    ] = None,
    workers: Workers = 1,
    storage: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Database to share the study with other machines: postgresql+psycopg://USER:PASSWORD@HOST/NAME.",
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
    """Search for the hyperparameters of a network; each trial is a run under the search's.

    The same command goes on with a search that was interrupted, and more --trials continue one that is done.

    What --set names is fixed and not searched. Train with what was found: digits train MODEL --from-study.

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
            f"stopped early: {result.pruned}, failed: {result.failed}, cut off and tried again: {result.repeated}; "
            f"train with the best: digits train {model} --dataset {dataset} --from-study {result.study}"
        )
        console.where(store, result.run_id)
        console.json(asdict(result))
