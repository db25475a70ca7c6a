"""Train one network with several seeds, or every network once."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

from experiments import datasets, results
from experiments.datasets import Dataset
from experiments.errors import UsageError
from experiments.execution import ExecutorConfig, Plan, PlanResult, Progress, Step, StepResult, run_steps
from experiments.models import trained_by
from experiments.results import Result
from experiments.tracking import Run, Store
from experiments.tracking.registry import version_text
from experiments.tracking.tags import subject_tags
from experiments.workflows.train.run import TrainOptions, TrainResult, made_by, train

if TYPE_CHECKING:
    import pandas as pd

SPREAD = (results.VAL_ACCURACY, results.VAL_LOSS)  # recorded with mean and standard deviation over the seeds


@dataclass(frozen=True)
class AllOptions:
    """Options of a training of every network of profile ``full``; the attributes are those of `TrainOptions`.

    Raises
    ------
    UsageError
        If one of the networks does not have a setting, or a value is out of range; the message names the network.
    """

    dataset: str = "mnist"
    data_dir: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    limit: int | None = None

    def __post_init__(self) -> None:
        _ = self.networks

    @property
    def networks(self) -> dict[str, TrainOptions]:
        """The options of each training, by network."""
        return {name: self._options(name) for name in trained_by("full")}

    def _options(self, model: str) -> TrainOptions:
        try:
            return TrainOptions(model, self.dataset, self.data_dir, self.settings, self.limit)
        except UsageError as error:
            raise UsageError(f"{model}: {error}") from error


@dataclass(frozen=True)
class SeedsResult:
    """Results of one network with several seeds: means and sample standard deviations (n - 1; 0 for one seed)."""

    run_id: str
    model: str
    val_accuracy: float
    val_accuracy_std: float
    val_loss: float
    val_loss_std: float
    seconds: float
    seeds: tuple[TrainResult, ...]

    @property
    def best(self) -> TrainResult:
        """The training with the highest validation accuracy, the first one if there are several."""
        return max(self.seeds, key=lambda one: one.val_accuracy)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that ``--json`` prints: that of the best seed, with means instead of its values."""
        return {**self.best.to_json(), **asdict(self)}


def train_seeds(
    store: Store,
    options: TrainOptions,
    seeds: Sequence[int],
    progress: Progress | None = None,
    executor: ExecutorConfig | None = None,
) -> SeedsResult:
    """Train one model per seed under a parent run with the means and standard deviations.

    Parameters
    ----------
    executor
        Runs trainings side by side in other processes; None runs them one after another in this process.

    Raises
    ------
    UsageError
        If there is no seed, or one is given twice.
    """
    if not seeds or len(set(seeds)) != len(seeds):
        raise UsageError(f"name each seed once, received {list(seeds)}")
    data = datasets.load(options.dataset, options.data_dir, (progress or Progress()).download)
    trainings = {f"seed-{seed}": replace(options, settings={**options.settings, "seed": seed}) for seed in seeds}

    def record(run: Run, steps: Sequence[StepResult]) -> None:
        run.log_results(_to_table(options, [_result(step) for step in steps]))

    plan = Plan(
        kind="train",
        name=f"{options.model} seeds",
        steps=[_step(store, name, training) for name, training in trainings.items()],
        identity=_identity(options, data) | _training_identity(options),
        description=f"**{options.model}** on **{data.name}** trained with seeds {', '.join(map(str, seeds))}: "
        "mean and standard deviation of the validation results of the best epochs; the trainings are child runs.",
        tags=subject_tags(options.model, data.name, data.digest),
    )
    outcome = run_steps(store, plan, progress, record, executor)
    trained = tuple(_result(step) for step in outcome.steps)
    seconds = sum(one.seconds for one in trained)
    return SeedsResult(outcome.run_id, options.model, seconds=seconds, seeds=trained, **_spread(trained))


def train_all(
    store: Store, options: AllOptions, progress: Progress | None = None, executor: ExecutorConfig | None = None
) -> PlanResult:
    """Train every network of profile ``full`` with the same settings, under one parent run.

    Parameters
    ----------
    executor
        As for `train_seeds`.

    Raises
    ------
    StepsFailedError
        If a training failed; the others are done.
    """
    data = datasets.load(options.dataset, options.data_dir, (progress or Progress()).download)
    trainings = options.networks
    plan = Plan(
        kind="suite",
        name="train all",
        steps=[_step(store, name, training) for name, training in trainings.items()],
        identity=_identity(options, data)
        | {name: _training_identity(training) for name, training in trainings.items()},
        description=f"Training of every network on **{data.name}**; the trainings are child runs.",
        tags=subject_tags(dataset=data.name, digest=data.digest),
    )
    return run_steps(store, plan, progress, executor=executor)


def _step(store: Store, name: str, options: TrainOptions) -> Step:
    return Step(name, train, lambda *_: (store, options))


def _identity(options: TrainOptions | AllOptions, data: Dataset) -> dict[str, object]:
    return {"dataset": data.name, "digest": data.digest, "limit": options.limit}


def _training_identity(options: TrainOptions) -> dict[str, object]:
    return {"recipe": options.recipe.params(), **made_by(options)}


def _result(step: StepResult) -> TrainResult:
    return TrainResult(**(step.result or {}))


def _to_table(options: TrainOptions, trained: Sequence[TrainResult]) -> "pd.DataFrame":
    """Build the table of results: the validation results of each seed, and their standard deviations."""
    about: dict[str, Any] = {
        "model": options.label,
        "source": trained[0].dataset,
        "target": trained[0].dataset,
        "split": "validation",
    }
    versions = [version_text(one.registered_model, one.version) for one in trained]
    rows = [
        Result(metric, getattr(one, metric), version=version, seed=one.seed, **about)
        for metric in SPREAD
        for one, version in zip(trained, versions, strict=True)
    ]
    spread = _spread(trained)
    return results.to_table([*rows, *(Result(f"{name}_std", spread[f"{name}_std"], **about) for name in SPREAD)])


def _spread(trained: Sequence[TrainResult]) -> dict[str, float]:
    """Compute mean and standard deviation of the validation results."""
    numbers: dict[str, float] = {}
    for name in SPREAD:
        values = [getattr(one, name) for one in trained]
        numbers[name] = fmean(values)
        numbers[f"{name}_std"] = stdev(values) if len(values) > 1 else 0.0
    return numbers
