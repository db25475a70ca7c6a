"""Train one network and register it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments import datasets, reporting, tracking
from experiments.datasets import Dataset, Split
from experiments.errors import UsageError
from experiments.execution import Progress, ResumeState, code_version, resume_state
from experiments.models import Architecture, Recipe, architecture
from experiments.models.prediction import predict
from experiments.tracking import RegisteredVersion, Run, Store
from experiments.training import Checkpoint, Epoch, Fit, backend, check_feasible, fit, resolve_precision

if TYPE_CHECKING:
    import keras


SHOWN = 25  # validation digits in the figure of sample predictions


@dataclass(frozen=True)
class TrainOptions:
    """What to train.

    Attributes
    ----------
    model
        Name of the architecture.
    dataset, data_dir
        As for `experiments.datasets.load`.
    settings
        Values that replace those of the model's recipe, by name.
    limit
        Train on a stratified sample of so many images. The validation images stay the same ones, so that networks
        remain comparable.
    study_run
        Run of the search that the settings come from, to be linked.

    Raises
    ------
    UsageError
        For an unknown model or setting, or a value out of range.
    """

    model: str
    dataset: str = "mnist"
    data_dir: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    limit: int | None = None
    study_run: str | None = None

    def __post_init__(self) -> None:
        datasets.check_trainable(self.dataset)
        if self.limit is not None and self.limit < 1:
            raise UsageError(f"limit must be at least 1, received {self.limit}")
        _ = self.recipe

    @property
    def architecture(self) -> Architecture:
        """The architecture by its name."""
        return architecture(self.model)

    @property
    def recipe(self) -> Recipe:
        """The model's recipe with the settings."""
        return self.architecture.recipe.override(self.settings)


@dataclass(frozen=True)
class TrainResult:
    """One training that ended well.

    `epochs` counts all, `val_accuracy` and `val_loss` are those of the best one, whose weights were kept; `seconds`
    is the time spent in epochs, those before an interruption among them.
    """

    run_id: str
    model: str
    dataset: str
    registered_model: str
    version: int
    epochs: int
    val_accuracy: float
    seconds: float
    val_loss: float
    best_epoch: int
    champion: bool
    precision: str
    seed: int

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that ``--json`` prints."""
        return asdict(self)


def train(
    store: Store, options: TrainOptions, progress: Progress | None = None, parent: str | None = None
) -> TrainResult:
    """Train a network, keep it in MLflow and register it.

    A run that was interrupted is continued by the same options, in the same MLflow run.

    Parameters
    ----------
    store
        Where the run goes.
    options
        What to train.
    progress
        Hears of the progress.
    parent
        Id of the run that this one belongs under.

    Raises
    ------
    UsageError
        When the recipe does not fit the network or the data, before a run is opened.
    DigitsError
        When the data is missing, the loss diverges, or another process is doing the same.
    """
    progress = progress or Progress()
    progress.stage(f"train {options.model} on {options.dataset}")
    data = datasets.load(options.dataset, options.data_dir, progress.download)
    train_split, validation = datasets.split_validation(data.train, options.recipe.validation)
    if options.limit:
        train_split = datasets.sample(train_split, options.limit, seed=options.recipe.seed)
    check_feasible(options.architecture, options.recipe, train_split)
    identity = {"params": _params(options, data), "digest": data.digest, **made_by(options)}
    with (
        resume_state(store, f"train {options.model}", identity) as saved,
        tracking.open_run(
            store,
            "train",
            options.model,
            parent=parent,
            tags=_tags(options, data),
            resume=saved.load("run"),
        ) as run,
    ):
        saved.save("run", run.id)
        _record_plan(run, options, data, len(train_split), len(validation))
        fitted = _fit(run, options, train_split, validation, saved, progress)
        _record_fit(run, options, data, fitted, validation)
        version = _keep_model(run, options, data, fitted, validation)
    return _result(run, options, data, fitted, version)


def made_by(options: TrainOptions) -> dict[str, str]:
    """Return what a training's result depends on besides its options and its data: code, and Keras's backend."""
    return {"code": code_version(train, options.architecture.build), "backend": backend()}


def _params(options: TrainOptions, data: Dataset) -> dict[str, Any]:
    return {
        "model": options.model,
        "dataset": data.name,
        "data": data.name if options.dataset == data.name else data.source,
        "limit": options.limit or "none",
        "transform": data.transform,
        **options.recipe.params(),
    }


def _tags(options: TrainOptions, data: Dataset) -> dict[str, str]:
    study = {"digits.study_run": options.study_run} if options.study_run else {}
    return {"digits.model": options.model, "digits.dataset": data.name, "digits.data_digest": data.digest, **study}


def _record_plan(run: Run, options: TrainOptions, data: Dataset, n_train: int, n_validation: int) -> None:
    run.log_params(_params(options, data))
    run.set_tags({"digits.precision": resolve_precision(options.recipe.precision), "digits.backend": backend()})
    run.log_dataset(data.name, data.source, data.digest, "train", n_train)
    run.describe(
        f"Training of **{options.model}** ({options.architecture.summary}; {options.architecture.source}) on "
        f"**{data.name}**: {n_train:,} images to learn from, {n_validation:,} of the training set held out for "
        "validation. The test set is not used here. Figures: `figures/`; evaluations of this model are child runs."
        + (f" Its hyperparameters were found by the search of run `{options.study_run}`." if options.study_run else "")
    )


def _fit(
    run: Run,
    options: TrainOptions,
    train_split: Split,
    validation: Split,
    saved: ResumeState,
    progress: Progress,
) -> Fit:
    known = run.logged_steps("val_loss")

    def record(epoch: Epoch) -> None:
        if epoch.number not in known:
            run.log_metrics(epoch.metrics(), step=epoch.number)
        progress.log(
            f"{options.model} epoch {epoch.number}/{options.recipe.epochs}  loss {epoch.loss:.4f}  "
            f"val_loss {epoch.val_loss:.4f}  val_accuracy {epoch.val_accuracy:.4f}  {epoch.seconds:.1f} s"
        )

    return fit(
        options.architecture,
        options.recipe,
        train_split,
        validation,
        checkpoint=Checkpoint(saved.folder / "checkpoint"),
        on_step=progress.advance,
        on_epoch=record,
    )


def _record_fit(run: Run, options: TrainOptions, data: Dataset, fitted: Fit, validation: Split) -> None:
    title = f"{options.model} on {data.name}"
    shown = validation.take(range(min(SHOWN, len(validation))))
    probabilities = predict(fitted.model, shown)
    run.log_figure(reporting.training_curves(_history(fitted), f"{title}: training"), "figures/training_curves.png")
    samples = reporting.prediction_grid(shown.images, shown.labels, probabilities, f"{title}: validation digits")
    run.log_figure(samples, "figures/sample_predictions.png")
    run.log_text(_summary(fitted.model), "model_summary.txt")


def _history(fitted: Fit) -> dict[str, list[float]]:
    rows = [epoch.metrics() for epoch in fitted.epochs]
    return {name: [row[name] for row in rows] for name in rows[0]}


def _summary(model: "keras.Model") -> str:
    lines: list[str] = []
    model.summary(print_fn=lambda line, **_: lines.append(line))
    return "\n".join(lines)


def _keep_model(run: Run, options: TrainOptions, data: Dataset, fitted: Fit, validation: Split) -> RegisteredVersion:
    example = validation.take(range(1)).as_float()
    params = _params(options, data)
    model_id = tracking.log_model(run, fitted.model, f"{data.name}-{options.model}", params, example)
    best = fitted.best
    summary = {
        "best_epoch": best.number,
        "best_val_accuracy": best.val_accuracy,
        "best_val_loss": best.val_loss,
        "train_seconds": fitted.seconds,
        "parameters": fitted.model.count_params(),  # trainable or not
        "size_bytes": tracking.model_bytes(run.store, model_id),
    }
    run.log_metrics(summary, model_id=model_id)
    return tracking.register(
        run,
        model_id,
        dataset=data.name,
        architecture=options.model,
        score=best.val_accuracy,
        description=f"Validation accuracy {best.val_accuracy:.4f}, trained in run `{run.id}`.",
    )


def _result(run: Run, options: TrainOptions, data: Dataset, fitted: Fit, version: RegisteredVersion) -> TrainResult:
    return TrainResult(
        run_id=run.id,
        model=options.model,
        dataset=data.name,
        registered_model=version.registered_model,
        version=version.version,
        epochs=len(fitted.epochs),
        val_accuracy=fitted.best.val_accuracy,
        seconds=fitted.seconds,
        val_loss=fitted.best.val_loss,
        best_epoch=fitted.best.number,
        champion="champion" in version.aliases,
        precision=resolve_precision(options.recipe.precision),
        seed=options.recipe.seed,
    )
