"""Search for the hyperparameters of a network, with workers on this machine or on many."""

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from experiments import datasets, tracking
from experiments.errors import DigitsError, UsageError
from experiments.execution.executors import ExecutorConfig
from experiments.execution.progress import Progress
from experiments.models import Recipe, architecture
from experiments.models.space import narrow
from experiments.processes import this_process
from experiments.tracking import Run, Store
from experiments.tracking.runs import create_run, end_children, end_run, is_finished, release_frames, run_exists
from experiments.tuning import (
    MOST_FAILURES,
    Engine,
    Search,
    SearchFailedError,
    Trial,
    best_trial,
    counted,
    failures_in_a_row,
)
from experiments.tuning.storage import EXAMPLE_URL
from experiments.workflows.tune.record import Watch, record_end, record_plan, search_tags
from experiments.workflows.tune.trials import OWNER, Task, work

STUDIES = ".digits/studies"
TRIALS = 20
POLL_SECONDS = 1.0
MOST_DEATHS = 3  # of workers in a row that ended no trial
DEFAULT_SAMPLER = {"optuna": "tpe", "keras-tuner": "bayesian"}
DEFAULT_PRUNER = {"optuna": "median", "keras-tuner": "none"}


@dataclass(frozen=True)
class TuneOptions:
    """What to search, and with what.

    Attributes
    ----------
    model, dataset, data_dir, limit
        As for `experiments.workflows.train.TrainOptions`.
    settings
        Values of the recipe that all trials share; what is named here is not searched.
    trials
        Trials to end, those of earlier calls among them.
    engine, sampler, pruner
        As in `experiments.tuning.Search`; None takes the engine's default.
    study
        Name of the study; None takes one from dataset, model and engine.
    storage
        Database URL where many machines are to share the study; None takes a file of this project.
    executor
        Runs the trials in other processes.
    own_first
        Whether the first trial is the model's own recipe, so that nothing worse can come out.
    """

    model: str
    dataset: str = "mnist"
    data_dir: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    limit: int | None = None
    trials: int = TRIALS
    engine: str = "optuna"
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
        if self.storage and self.engine != "optuna":
            raise UsageError("--storage goes with --engine optuna: Keras Tuner keeps its searches in files")
        if self.executor.cluster and self.engine != "optuna":
            raise UsageError("--cluster goes with --engine optuna: Keras Tuner's oracle serves this machine alone")
        if self.study is not None and not self.study.strip():
            raise UsageError("the name of a study must not be empty")
        self.search("", "")

    @property
    def recipe(self) -> Recipe:
        """What all trials share."""
        return architecture(self.model).recipe.override(self.settings)

    def search(self, dataset: str, digest: str) -> Search:
        """Return the search over a dataset of this name and digest.

        Raises
        ------
        UsageError
            For an unknown model, setting, engine, sampler or pruner, or a space of which nothing is left.
        """
        own = "" if self.engine == "optuna" else f"-{self.engine}"
        return Search(
            name=self.study or f"{dataset}-{self.model}{own}",
            engine=self.engine,  # type: ignore[arg-type]  # checked by Search
            model=self.model,
            dataset=dataset,
            digest=digest,
            recipe=self.recipe,
            space=narrow(architecture(self.model).space, self.settings, self.model),
            sampler=self.sampler or DEFAULT_SAMPLER.get(self.engine, ""),
            pruner=self.pruner or DEFAULT_PRUNER.get(self.engine, "none"),  # type: ignore[arg-type]
            limit=self.limit,
            own_first=self.own_first,
        )


@dataclass(frozen=True)
class TuneResult:
    """A search that has ended.

    `trials` counts those that were complete or pruned, of which `pruned` were stopped early. On top come those that
    `failed`, and those that were cut off and `repeated`. `best_value` is a validation accuracy.
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
    """Search, or go on with a search, until the number of trials asked for has ended.

    Any number of machines may do this at the same time with the same `storage`: they share the trials.

    Parameters
    ----------
    parent
        Id of the run that the search belongs under.

    Raises
    ------
    UsageError
        When a study of this name was another search.
    DigitsError
        When storage or data cannot be used, too many trials have failed in a row, or none was complete.
    """
    progress = progress or Progress()
    progress.stage(f"tune {options.model} on {options.dataset}")
    data = datasets.load(options.dataset, options.data_dir, progress.download)
    search = options.search(data.name, data.digest)
    with _engine(store, options, search) as engine:
        run_id = engine.parent_run()
        if not run_exists(store, run_id):
            raise DigitsError(
                f"study {search.name!r} belongs to run {run_id}, which is not in the tracking store {store.uri}; "
                "set MLFLOW_TRACKING_URI to the store it was made with, or take a new name with --study NAME"
            )
        if engine.remaining() > 0 or not is_finished(store, run_id):
            with tracking.open_run(
                store, "tune", f"tune {search.name}", parent=parent, tags=search_tags(search), resume=run_id
            ) as run:
                record_plan(run, search, options.dataset, options.settings, options.trials)
                run.log_dataset(data.name, data.source, data.digest, "train", len(data.train))
                _search(store, options, search, engine, run, progress)
                record_end(run, search, engine.trials())
            _delete_checkpoints(_checkpoints(store, search), best_trial(engine.trials()))
        else:
            progress.log(f"study {search.name} has its {options.trials} trials already")
        return _result(run_id, search, engine.trials())


@contextmanager
def _engine(store: Store, options: TuneOptions, search: Search) -> Iterator[Engine]:
    """Make or join the study."""

    def make_run() -> str:
        return create_run(store, f"tune {search.name}")

    folder = _folder(store, search.name)
    if search.engine == "keras-tuner":
        from experiments.tuning.keras_tuner_engine import keras_tuner_engine

        with keras_tuner_engine(search, folder, options.trials, make_run) as engine:
            yield engine
    else:
        from experiments.tuning.optuna_engine import open_study

        place = options.storage or str(folder / "study.journal")
        yield open_study(search, place, options.trials, make_run)


def _folder(store: Store, study: str) -> Path:
    """Return where the files of a study are kept; those of each experiment apart, for they name its runs."""
    experiment = hashlib.sha256(f"{store.uri} {store.experiment_id}".encode()).hexdigest()[:8]
    return store.root / STUDIES / experiment / quote(study, safe="").replace(".", "%2E")


def _search(store: Store, options: TuneOptions, search: Search, engine: Engine, run: Run, progress: Progress) -> None:
    """Keep workers busy until all trials have ended."""
    _close_stale(store, engine)
    owner = this_process()
    first = len(engine.trials())
    task = Task(store, search, engine, options.dataset, options.data_dir, owner, first, _checkpoints(store, search))
    watch = Watch(run, search, options.trials, progress)
    started, deaths, done = 0, 0, len(counted(engine.trials()))
    with _no_trial_left(store, engine, run.id, owner), options.executor.open() as workers:
        while engine.remaining() > 0:
            while engine.claimable() and workers.running() < min(workers.capacity, engine.remaining()):
                workers.submit(f"worker-{started}", work, task)
                started += 1
            if not workers.running():
                watch.wait()
            for ended in workers.wait(POLL_SECONDS):
                if ended.error:
                    raise ended.error
                if ended.crash:
                    deaths += 1
                    progress.log(f"{ended.name} {ended.crash}")
            _close_stale(store, engine)
            trials = engine.trials()
            watch.look(trials)
            if len(counted(trials)) > done:
                deaths, done = 0, len(counted(trials))
            _stop_if_hopeless(trials, first, deaths)
        while workers.running():  # a worker that has ended its trial has yet to end its run
            workers.wait(POLL_SECONDS)
    watch.look(engine.trials())


@contextmanager
def _no_trial_left(store: Store, engine: Engine, run_id: str, owner: str) -> Iterator[None]:
    """Hand back, when the search is stopped, what its workers had no time, or no say, to hand back themselves."""
    try:
        yield
    except BaseException as error:
        release_frames(error)
        left = end_children(store, run_id, {OWNER: owner})
        for trial in engine.trials():
            if trial.state == "running" and trial.run_id in left:
                engine.give_back(trial.number, "interrupted")
        raise


def _close_stale(store: Store, engine: Engine) -> None:
    """End the trials, and their runs, whose process was killed; they will be tried again."""
    for trial in engine.stale():
        engine.give_back(trial.number, "its process ended without a word")
        if trial.run_id:
            end_run(store, trial.run_id, "FAILED")


def _stop_if_hopeless(trials: Sequence[Trial], first: int, deaths: int) -> None:
    failures = failures_in_a_row(trials, first)
    if len(failures) >= MOST_FAILURES:
        raise SearchFailedError(
            f"{len(failures)} trials failed one after the other, the last with {failures[0].error}; "
            "mend that and give the same command again"
        )
    if deaths >= MOST_DEATHS:
        raise SearchFailedError(f"{deaths} workers died one after the other; give them more memory, or take fewer")


def _checkpoints(store: Store, search: Search) -> Path | None:
    """Return where trainings are kept that later trials continue, as hyperband's do."""
    continued = search.engine == "keras-tuner" and search.sampler == "hyperband"
    return _folder(store, search.name) / "checkpoints" if continued else None


def _delete_checkpoints(folder: Path | None, best: Trial | None) -> None:
    """Delete the kept trainings but the best."""
    for trial in folder.iterdir() if folder and folder.exists() else ():
        if best is None or trial.name != best.name:
            shutil.rmtree(trial)


def _result(run_id: str, search: Search, trials: Sequence[Trial]) -> TuneResult:
    best = best_trial(trials)
    if best is None:
        raise DigitsError("no trial was complete: take more trials, or --pruner none")
    return TuneResult(
        run_id=run_id,
        study=search.name,
        engine=search.engine,
        trials=len(counted(trials)),
        best_value=best.value or 0.0,
        best_params=dict(best.params),
        best_run_id=best.run_id or "",
        model=search.model,
        dataset=search.dataset,
        pruned=sum(trial.state == "pruned" for trial in trials),
        failed=sum(trial.state == "failed" and not trial.again for trial in trials),
        repeated=sum(trial.again for trial in trials),
    )
