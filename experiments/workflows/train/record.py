"""Record trainings in MLflow."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from experiments import reporting, results, tracking
from experiments.datasets import Dataset, Split
from experiments.execution import Progress
from experiments.models.prediction import predict
from experiments.results import Result
from experiments.tracking import RegisteredVersion, Run
from experiments.tracking.registry import model_bytes
from experiments.tracking.tags import BACKEND, PRECISION, STUDY_RUN, subject_tags
from experiments.training import Epoch, Fit, backend, resolve_precision
from experiments.workflows.train.calibration import reading_settings

if TYPE_CHECKING:
    import keras
    import pandas as pd

    from experiments.workflows.train.run import TrainOptions

SHOWN = 25  # validation images in the figure of sample predictions


def params_of(options: "TrainOptions", data: Dataset) -> dict[str, Any]:
    """Return the params of a training's run and of its model: options, recipe and data."""
    return {
        "model": options.model,
        "dataset": data.name,
        "data": data.name if options.dataset == data.name else data.source,
        "limit": options.limit or "none",
        "transform": data.transform,
        **options.recipe.params(),
    }


def tags_of(options: "TrainOptions", data: Dataset) -> dict[str, str]:
    """Return the tags of a training's run."""
    study = {STUDY_RUN: options.study_run} if options.study_run else {}
    return subject_tags(options.model, data.name, data.digest) | study


def record_start(run: Run, options: "TrainOptions", data: Dataset, n_train: int, n_validation: int) -> None:
    """Record everything that is known before the first epoch."""
    run.log_params(params_of(options, data))
    run.set_tags({PRECISION: resolve_precision(options.recipe.precision), BACKEND: backend()})
    run.log_dataset(data.name, data.source, data.digest, "train", n_train)
    run.describe(
        f"Training of **{options.model}** ({options.architecture.summary}; {options.architecture.source}) on "
        f"**{data.name}**: {n_train:,} training images and {n_validation:,} validation images held out from the "
        "training set. The test set is not used here. Figures: `figures/`; evaluations of this model are child runs."
        + (f" Its hyperparameters were found by the search of run `{options.study_run}`." if options.study_run else "")
    )


def epoch_recorder(run: Run, options: "TrainOptions", progress: Progress) -> Callable[[Epoch], None]:
    """Return a callback that records an epoch, unless an interrupted call has done so, and reports it."""
    known = run.logged_steps("val_loss")

    def record(epoch: Epoch) -> None:
        if epoch.number not in known:
            run.log_metrics(epoch.metrics(), step=epoch.number)
        progress.log(
            f"{options.model} epoch {epoch.number}/{options.recipe.epochs}  loss {epoch.loss:.4f}  "
            f"val_loss {epoch.val_loss:.4f}  val_accuracy {epoch.val_accuracy:.4f}  {epoch.seconds:.1f} s"
        )

    return record


def record_end(run: Run, options: "TrainOptions", data: Dataset, fitted: Fit, validation: Split) -> RegisteredVersion:
    """Record figures, model and results of a finished training, and register the model."""
    shown = validation.take(range(min(SHOWN, len(validation))))
    title, probabilities = f"{options.model} on {data.name}", predict(fitted.model, shown)
    for name, drawing in reporting.training_drawings(_history(fitted), shown, probabilities, title).items():
        run.log_figure(drawing, name)
    run.log_text(_summary(fitted.model), "model_summary.txt")
    params, example = params_of(options, data), validation.take(range(1)).as_float()
    settings = reading_settings(fitted.model, options.recipe, validation, f"run {run.id}")
    model_id = tracking.log_model(run, fitted.model, f"{data.name}-{options.model}", params, example, settings)
    best = fitted.best
    version = tracking.register(
        run,
        model_id,
        dataset=data.name,
        architecture=options.model,
        score=best.val_accuracy,
        description=f"Validation accuracy {best.val_accuracy:.4f}, trained in run `{run.id}`.",
    )
    table = _to_table(options, fitted, version, len(validation), model_bytes(run.store, model_id))
    run.log_results(table, model_id=model_id)
    return version


def _to_table(
    options: "TrainOptions", fitted: Fit, version: RegisteredVersion, n_validation: int, size_bytes: int
) -> "pd.DataFrame":
    best = fitted.best
    about: dict[str, Any] = {
        "model": options.label,
        "version": version.text,
        "source": version.dataset,
        "target": version.dataset,
        "seed": options.recipe.seed,
    }
    on_validation = {**about, "split": "validation", "n": n_validation}
    return results.to_table(
        [
            Result(results.BEST_VAL_ACCURACY, best.val_accuracy, **on_validation),
            Result(results.BEST_VAL_LOSS, best.val_loss, **on_validation),
            Result("best_epoch", best.number, **about),
            Result("epochs", len(fitted.epochs), **about),
            Result(results.TRAIN_SECONDS, fitted.seconds, **about),
            Result(results.PARAMETERS, fitted.model.count_params(), **about),  # trainable or not
            Result(results.SIZE_BYTES, size_bytes, **about),
        ]
    )


def _history(fitted: Fit) -> dict[str, list[float]]:
    rows = [epoch.metrics() for epoch in fitted.epochs]
    return {name: [row[name] for row in rows] for name in rows[0]}


def _summary(model: "keras.Model") -> str:
    lines: list[str] = []
    model.summary(print_fn=lambda line, **_: lines.append(line))
    return "\n".join(lines)
