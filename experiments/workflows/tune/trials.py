"""What a worker does in a search: take a trial, train, report, and take the next."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from experiments import datasets, tracking
from experiments.datasets import Split
from experiments.errors import first_line
from experiments.models import architecture
from experiments.processes import this_process
from experiments.tracking import Run, Store
from experiments.training import Checkpoint, DivergedError, Epoch, Fit, fit, release_memory
from experiments.tuning import MOST_FAILURES, OBJECTIVE, Engine, Search, Trial, failures_in_a_row
from experiments.workflows.tune.record import search_tags, value_text

OWNER = "digits.owner"


class PrunedError(Exception):
    """A trial was stopped because it promised little."""


@dataclass(frozen=True)
class Task:
    """All that a worker needs to know, so that it can be sent to another process or machine.

    Attributes
    ----------
    owner
        Process of the command that the worker works for.
    first
        Number from which failures in a row count: that of the first trial since the command was given.
    checkpoints
        Where trainings that a later trial may continue are kept; None where none is continued.
    """

    store: Store
    search: Search
    engine: Engine
    dataset: str
    data_dir: Path | None
    owner: str
    first: int
    checkpoints: Path | None = None


def work(task: Task) -> int:
    """Do trials until there is none to take, or too many have failed one after the other; return how many were done."""
    train, validation = training_data(task.search, task.dataset, task.data_dir)
    process, done = this_process(), 0
    while len(failures_in_a_row(task.engine.trials(), task.first)) < MOST_FAILURES:
        trial = task.engine.claim(process)
        if trial is None:
            break
        do_trial(task, trial, train, validation)
        done += 1
    return done


def training_data(search: Search, dataset: str, data_dir: Path | None) -> tuple[Split, Split]:
    """Return the images that the trials learn from and those they are judged by, both of the training set."""
    data = datasets.load(dataset, data_dir)
    train, validation = datasets.split_validation(data.train, search.recipe.validation)
    return (datasets.sample(train, search.limit, seed=search.seed) if search.limit else train), validation


def do_trial(task: Task, trial: Trial, train: Split, validation: Split) -> None:
    """Train by what a trial tries, in an MLflow run of its own, and end the trial as what happened says."""
    start, engine, told = perf_counter(), task.engine, _tried(task.search, trial)

    def seconds() -> float:
        return perf_counter() - start

    try:
        with tracking.open_run(
            task.store,
            "trial",
            trial.name,
            parent=engine.parent_run(),
            tags={**_tags(task.search, trial), OWNER: task.owner},
            killed_by=(PrunedError,),
        ) as run:
            engine.begin(trial.number, run.id)
            run.log_params({**trial.params, "model": task.search.model, "dataset": task.search.dataset})
            run.describe(told)
            try:
                fitted = _fit(task, trial, run, train, validation)
            except PrunedError as stopped:
                _conclude(run, "PRUNED", seconds())
                run.describe(f"{told}\n\nStopped early, which is no failure: {stopped}.")
                engine.finish(trial.number, "pruned", None, seconds())
                raise
            _conclude(run, "COMPLETE", seconds(), fitted)
            run.describe(f"{told}\n\nReached {fitted.best.val_accuracy:.4f}.")
            engine.finish(trial.number, "complete", fitted.best.val_accuracy, seconds())
    except PrunedError:
        pass
    except Exception as error:  # whatever it is, the search goes on; the run has the traceback
        reason = (str(error).splitlines() or [""])[0]
        engine.finish(trial.number, "failed", None, seconds(), f"{type(error).__name__}: {reason}")
    except BaseException:
        engine.give_back(trial.number, "interrupted")
        raise
    release_memory()


def _tried(search: Search, trial: Trial) -> str:
    """Return what a trial tries, in words for MLflow."""
    values = ", ".join(f"`{name}` {value_text(value)}" for name, value in trial.params.items())
    return f"**{search.model}** on **{search.dataset}** with {values}, judged by the accuracy on the validation digits."


def _tags(search: Search, trial: Trial) -> dict[str, str]:
    tags = {**search_tags(search), "digits.trial": str(trial.number)}
    return tags if trial.continues is None else {**tags, "digits.continues": str(trial.continues)}


def _fit(task: Task, trial: Trial, run: Run, train: Split, validation: Split) -> Fit:
    def record(epoch: Epoch) -> None:
        run.log_metrics(epoch.metrics(), step=epoch.number)
        if task.engine.report(trial.number, epoch.number, epoch.val_accuracy):
            run.set_tags({"digits.pruned_at_epoch": epoch.number})
            raise PrunedError(f"it promised little after epoch {epoch.number}")

    try:
        return fit(
            architecture(task.search.model),
            task.search.recipe.override(trial.params),
            train,
            validation,
            until=trial.until,
            checkpoint=_checkpoint(task.checkpoints, trial),
            on_epoch=record,
        )
    except DivergedError as error:  # a bad point of the space, of which the search should know, and no fault
        run.set_tags({"digits.pruned_because": error})
        raise PrunedError(first_line(error)) from error


def _checkpoint(folder: Path | None, trial: Trial) -> Checkpoint | None:
    """Return where the training of a trial is kept, with a copy of the one that it continues.

    Where that one is no longer kept, for the search had ended before it was given more trials, it begins anew.
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


def _conclude(run: Run, state: str, seconds: float, fitted: Fit | None = None) -> None:
    import psutil

    metrics = {"trial_seconds": seconds, "rss_mb": psutil.Process().memory_info().rss / 2**20}
    if fitted:
        metrics |= {
            f"best_{OBJECTIVE}": fitted.best.val_accuracy,
            "best_val_loss": fitted.best.val_loss,
            "train_seconds": fitted.seconds,
        }
    run.log_metrics(metrics)
    run.set_tags({"optuna.state": state})
