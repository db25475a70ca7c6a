"""Train a network and register it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from experiments import datasets
from experiments.datasets import Dataset, Split
from experiments.errors import UsageError
from experiments.execution import Progress, code_version, resumable_run
from experiments.models import Architecture, Recipe, architecture
from experiments.results import tuned_label
from experiments.tracking import Store
from experiments.training import Checkpoint, backend, check_feasible, fit, resolve_precision
from experiments.workflows.train.calibration import reading_settings
from experiments.workflows.train.record import epoch_recorder, params_of, record_end, record_start, tags_of


@dataclass(frozen=True)
class TrainOptions:
    """Options of a training.

    Attributes
    ----------
    model
        Name of the architecture.
    dataset, data_dir
        As for `experiments.datasets.load`.
    settings
        Values by name that override those of the model's recipe.
    limit
        Size of a stratified sample of the training images to train on. The validation images stay the same, so that
        networks remain comparable.
    study_run
        Id of the run of the search that found the settings.

    Raises
    ------
    UsageError
        If the model or a setting is unknown, or a value is out of range.
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
        """The architecture of that name."""
        return architecture(self.model)

    @property
    def label(self) -> str:
        """The name of the network in tables of results."""
        return tuned_label(self.model) if self.study_run else self.model

    @property
    def recipe(self) -> Recipe:
        """The model's recipe with the settings."""
        return self.architecture.recipe.override(self.settings)


@dataclass(frozen=True)
class TrainResult:
    """Result of a training.

    `epochs` is the number of all epochs; `val_accuracy` and `val_loss` are those of the best one, whose weights the
    model has. `seconds` is the time of all epochs, including those before an interruption.
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
    """Train a network, record it in MLflow and register it.

    An interrupted training is continued, in the same MLflow run, by a call with the same options.

    Parameters
    ----------
    parent
        Id of the parent run.

    Raises
    ------
    UsageError
        If the recipe does not fit the network or the data; no run is opened then.
    DigitsError
        If the data is missing, the loss diverges, or another process runs the same training.
    """
    progress = progress or Progress()
    progress.stage(f"train {options.model} on {options.dataset}")
    data, also, train_split, validation = load_splits(options, progress)
    check_feasible(options.architecture, options.recipe, train_split)
    digests = {"digest": data.digest, "also": [one.digest for one in also]}
    identity = {"params": params_of(options, data), **digests, **made_by(options)}
    task = f"train {options.model}"
    with resumable_run(
        store, "train", options.model, identity, parent=parent, tags=tags_of(options, data), task=task
    ) as (run, saved):
        record_start(run, options, data, len(train_split), len(validation))
        fitted = fit(
            options.architecture,
            options.recipe,
            train_split,
            validation,
            checkpoint=Checkpoint(saved.folder / "checkpoint"),
            on_step=progress.advance,
            on_epoch=epoch_recorder(run, options, progress),
        )
        version = record_end(run, options, data, fitted, validation)
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


def load_splits(options: TrainOptions, progress: Progress) -> tuple[Dataset, list[Dataset], Split, Split]:
    """Load the dataset, those of `Architecture.also`, and the digits of all of them to train on and to validate on.

    Raises
    ------
    DigitsError
        If data is missing.
    """
    names = dict.fromkeys((options.dataset, *options.architecture.also))
    loaded = [datasets.load(name, options.data_dir, progress.download) for name in names]
    parts = [datasets.split_validation(data.train, options.recipe.validation) for data in loaded]
    train_split, validation = (datasets.concatenate(splits) for splits in zip(*parts, strict=True))
    if options.limit:
        train_split = datasets.sample(train_split, options.limit, seed=options.recipe.seed)
    return loaded[0], loaded[1:], train_split, validation


def made_by(options: TrainOptions) -> dict[str, str]:
    """Return code version and backend, on which the result of a training depends besides options and data."""
    parts = (datasets.split_validation, datasets.concatenate, datasets.sample)
    functions = (*parts, fit, options.architecture.build, reading_settings)
    return {"code": code_version(*functions), "backend": backend()}
