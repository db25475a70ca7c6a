"""Workers of a search: each takes a trial, trains, reports, and takes the next one."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from experiments import datasets, tracking
from experiments.datasets import Split
from experiments.errors import first_line
from experiments.models import architecture
from experiments.processes import this_process
from experiments.results import BEST_VAL_ACCURACY, BEST_VAL_LOSS, TRAIN_SECONDS
from experiments.tracking import Run, Store
from experiments.tracking.tags import CONTINUES, OWNER, PRUNED_AT_EPOCH, PRUNED_BECAUSE, TRIAL
from experiments.training import Checkpoint, DivergedError, Epoch, Fit, fit, release_memory
from experiments.tuning import Engine, Search, Trial, consecutive_failures
from experiments.tuning.search import MAX_CONSECUTIVE_FAILURES
from experiments.workflows.tune.record import search_tags, value_text


class PrunedError(Exception):
    """A trial was stopped early."""


@dataclass(frozen=True)
class Task:
    """Everything that a worker needs; it can be sent to another process or machine.

    Attributes
    ----------
    owner
        Process of the command that the worker belongs to.
    first
        Number of the first trial of this command, from which consecutive failures count.
    checkpoints
        Folder of the trainings that later trials may continue; None if the sampler continues none.
    """

    store: Store
    search: Search
    engine: Engine
    dataset: str
    data_dir: Path | None
    owner: str
    first: int
    checkpoints: Path | None = None


def run_trials(task: Task) -> int:
    """Run trials until none is available or too many have failed in a row; return their number."""
    search, process, count = task.search, this_process(), 0
    train, validation = training_data(search, task.dataset, task.data_dir)
    while len(consecutive_failures(task.engine.trials(), task.first)) < MAX_CONSECUTIVE_FAILURES:
        trial = task.engine.ask(process)
        if trial is None:
            break
        with _recording(task, trial) as recorder:
            fitted = fit(
                architecture(search.model),
                search.recipe.override(trial.params),
                train,
                validation,
                until=trial.until,
                checkpoint=_checkpoint(task.checkpoints, trial),
                on_epoch=recorder.log_epoch,
            )
            recorder.complete(fitted)
        release_memory()
        count += 1
    return count


def training_data(search: Search, dataset: str, data_dir: Path | None) -> tuple[Split, Split]:
    """Return the training and the validation images of all trials, both from the training set."""
    data = datasets.load(dataset, data_dir)
    train, validation = datasets.split_validation(data.train, search.recipe.validation)
    return (datasets.sample(train, search.limit, seed=search.seed) if search.limit else train), validation


@dataclass(frozen=True)
class TrialRecorder:
    """Records a trial in its MLflow run and in the engine."""

    task: Task
    trial: Trial
    run: Run
    start: float

    def log_epoch(self, epoch: Epoch) -> None:
        """Record an epoch.

        Raises
        ------
        PrunedError
            If the engine prunes the trial.
        """
        self.run.log_metrics(epoch.metrics(), step=epoch.number)
        if self.task.engine.report(self.trial.number, epoch.number, epoch.val_accuracy):
            self.run.set_tags({PRUNED_AT_EPOCH: epoch.number})
            raise PrunedError(f"it fell behind other trials after epoch {epoch.number}")

    def complete(self, fitted: Fit) -> None:
        """Record a training that ended."""
        best = {
            BEST_VAL_ACCURACY: fitted.best.val_accuracy,
            BEST_VAL_LOSS: fitted.best.val_loss,
            TRAIN_SECONDS: fitted.seconds,
        }
        self._end("COMPLETE", f"Reached {fitted.best.val_accuracy:.4f}.", best)
        self.task.engine.tell(self.trial.number, "complete", fitted.best.val_accuracy, self.seconds)

    def prune(self, reason: str) -> None:
        """Record a training that was stopped early."""
        self._end("PRUNED", f"Pruned, which is not a failure: {reason}.", {})
        self.task.engine.tell(self.trial.number, "pruned", None, self.seconds)

    @property
    def seconds(self) -> float:
        """Wall time so far."""
        return perf_counter() - self.start

    def _end(self, state: str, outcome: str, metrics: dict[str, float]) -> None:
        import psutil

        rss_mb = psutil.Process().memory_info().rss / 2**20
        self.run.log_metrics({"trial_seconds": self.seconds, "rss_mb": rss_mb, **metrics})
        self.run.set_tags({"optuna.state": state})
        self.run.describe(f"{_description(self.task.search, self.trial)}\n\n{outcome}")


@contextmanager
def _recording(task: Task, trial: Trial) -> Iterator[TrialRecorder]:
    """Open the MLflow run of a trial. Pruned and failed trials end here, and the search continues."""
    start, engine, search = perf_counter(), task.engine, task.search
    continues = {} if trial.continues is None else {CONTINUES: str(trial.continues)}
    tags = {**search_tags(search), TRIAL: str(trial.number), **continues, OWNER: task.owner}
    try:
        with tracking.open_run(
            task.store, "trial", trial.name, parent=engine.parent_run(), tags=tags, killed_by=(PrunedError,)
        ) as run:
            recorder = TrialRecorder(task, trial, run, start)
            engine.set_run(trial.number, run.id)
            run.log_params({**trial.params, "model": search.model, "dataset": search.dataset})
            run.describe(_description(search, trial))
            try:
                yield recorder
            except PrunedError as error:
                recorder.prune(str(error))
                raise
            except DivergedError as error:  # a bad point of the space, which the sampler should know, not a failure
                run.set_tags({PRUNED_BECAUSE: error})
                recorder.prune(first_line(error))
                raise PrunedError from error
    except PrunedError:
        pass
    except Exception as error:  # the run has the traceback
        reason = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
        engine.tell(trial.number, "failed", None, perf_counter() - start, reason)
    except BaseException:
        engine.requeue(trial.number, "interrupted", suspect=False)
        raise


def _description(search: Search, trial: Trial) -> str:
    values = ", ".join(f"`{name}` {value_text(value)}" for name, value in trial.params.items())
    return f"**{search.model}** on **{search.dataset}** with {values}, judged by its validation accuracy."


def _checkpoint(folder: Path | None, trial: Trial) -> Checkpoint | None:
    """Return the checkpoint of a trial, a copy of that of the trial that it continues.

    If that one no longer exists, because the search had ended before more trials were requested, training starts over.
    """
    if folder is None:
        return None
    own = folder / trial.name
    earlier = folder / f"trial-{trial.continues:03d}" if trial.continues is not None else own
    if earlier.exists() and not own.exists():
        fresh = own.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(earlier, fresh)
        fresh.rename(own)
    return Checkpoint(own)
