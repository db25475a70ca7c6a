"""Search for the hyperparameters of a network, with workers on this machine or on several."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from experiments import datasets, tracking
from experiments.errors import UsageError
from experiments.execution.executors import ExecutorConfig
from experiments.execution.progress import Progress
from experiments.models import Recipe, architecture
from experiments.models.space import narrow
from experiments.tracking import Store
from experiments.tracking.runs import is_finished
from experiments.tuning import DEFAULT_ENGINE, Search, Trial, samplers_of
from experiments.tuning.engines import search_library
from experiments.tuning.search import EXAMPLE_URL, require_support
from experiments.workflows.tune.pipeline import new_task, open_engine, run_search
from experiments.workflows.tune.record import counts, record_plan, record_result, require_best, search_tags


@dataclass(frozen=True)
class TuneOptions:
    """Options of a search.

    Attributes
    ----------
    model, dataset, data_dir, limit
        As in `experiments.workflows.train.TrainOptions`.
    settings
        Changes of the recipe that all trials share; these settings are not searched.
    trials
        Total number of trials, those of earlier calls included.
    engine, sampler, pruner
        As in `experiments.tuning.Search`; None for the engine's default.
    study
        Name of the study; None for a name made of dataset, model and engine.
    storage
        Database URL if several machines share the study; None for a file of this project.
    executor
        Runs the workers.
    own_first
        Whether the first trial uses the model's own recipe, so that the result is not worse than that.
    """

    model: str
    dataset: str = "mnist"
    data_dir: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    limit: int | None = None
    trials: int = 20
    engine: str = DEFAULT_ENGINE
    sampler: str | None = None
    pruner: str | None = None
    study: str | None = None
    storage: str | None = None
    executor: ExecutorConfig = field(default_factory=ExecutorConfig)
    own_first: bool = True

    def __post_init__(self) -> None:
        datasets.check_trainable(self.dataset)
        for name in ("trials", "limit"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"{name} must be at least 1, received {value}")
        if self.storage is not None and "://" not in self.storage:
            raise UsageError(f"--storage needs a database URL such as {EXAMPLE_URL}, received {self.storage!r}")
        if self.storage:
            require_support(search_library(self.engine), "storage")
        if self.executor.cluster:
            require_support(search_library(self.engine), "cluster")
        if self.study is not None and not self.study.strip():
            raise UsageError("the name of a study must not be empty")
        self.search("", "")

    @property
    def recipe(self) -> Recipe:
        """The model's recipe with the settings that all trials share."""
        return architecture(self.model).recipe.override(self.settings)

    def search(self, dataset: str, digest: str) -> Search:
        """Describe the search over a dataset of this name and digest.

        Raises
        ------
        UsageError
            If model, setting, engine, sampler or pruner do not exist, or all hyperparameters are fixed.
        """
        library = search_library(self.engine)
        suffix = "" if self.engine == DEFAULT_ENGINE else f"-{self.engine}"
        return Search(
            name=self.study or f"{dataset}-{self.model}{suffix}",
            engine=self.engine,
            model=self.model,
            dataset=dataset,
            digest=digest,
            recipe=self.recipe,
            space=narrow(architecture(self.model).space, self.settings, self.model),
            sampler=self.sampler or samplers_of(self.engine)[0],
            pruner=self.pruner or library.pruner,
            limit=self.limit,
            own_first=self.own_first,
        )


@dataclass(frozen=True)
class TuneResult:
    """The result of a search.

    `trials` counts the complete and the `pruned` trials; those that `failed`, or were interrupted and `repeated`, are
    not among them. `best_value` is a validation accuracy.
    """

    run_id: str
    study: str
    engine: str
    trials: int
    best_value: float
    best_params: Mapping[str, int | float]
    best_run_id: str
    model: str
    dataset: str
    pruned: int
    failed: int
    repeated: int

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that ``--json`` prints."""
        return asdict(self)


def tune(store: Store, options: TuneOptions, progress: Progress | None = None, parent: str | None = None) -> TuneResult:
    """Start a search, or continue it, until the requested number of trials has ended.

    Several machines may do so at the same time with the same `storage`: they share the trials.

    Parameters
    ----------
    parent
        Id of the parent run.

    Raises
    ------
    UsageError
        If a study of this name belongs to another search.
    DigitsError
        If storage or data cannot be used, too many trials have failed in a row, or no trial is complete.
    """
    progress = progress or Progress()
    progress.stage(f"tune {options.model} on {options.dataset}")
    data = datasets.load(options.dataset, options.data_dir, progress.download)
    search = options.search(data.name, data.digest)
    with open_engine(store, search, options.trials, options.storage) as engine:
        run_id = engine.parent_run()
        if engine.remaining() > 0 or not is_finished(store, run_id):
            with tracking.open_run(
                store, "tune", f"tune {search.name}", parent=parent, tags=search_tags(search), resume=run_id
            ) as run:
                record_plan(run, search, options.dataset, options.settings, options.trials)
                run.log_dataset(data.name, data.source, data.digest, "train", len(data.train))
                task = new_task(store, search, engine, options.dataset, options.data_dir)
                run_search(task, run, options.trials, options.executor, progress)
                record_result(run, search, engine.trials())
        else:
            progress.log(f"study {search.name} already has {options.trials} trials")
        return _result(run_id, search, engine.trials())


def _result(run_id: str, search: Search, trials: Sequence[Trial]) -> TuneResult:
    best = require_best(trials)
    return TuneResult(
        run_id=run_id,
        study=search.name,
        engine=search.engine,
        best_value=best.value or 0.0,
        best_params=dict(best.params),
        best_run_id=best.run_id or "",
        model=search.model,
        dataset=search.dataset,
        **counts(trials),
    )
