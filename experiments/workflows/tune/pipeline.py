"""The course of a search: open its study, keep workers busy, and handle trials and workers that fail."""

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from experiments.errors import DigitsError
from experiments.execution.executors import ExecutorConfig
from experiments.execution.progress import Progress
from experiments.processes import this_process
from experiments.tracking import Run, Store
from experiments.tracking.runs import create_run, end_children, end_run, release_frames, run_exists
from experiments.tracking.tags import OWNER
from experiments.tuning import Engine, Search, SearchFailedError, Trial, best_trial, consecutive_failures
from experiments.tuning.search import MAX_CONSECUTIVE_FAILURES
from experiments.workflows.tune.record import SearchProgress, counts
from experiments.workflows.tune.trials import Task, run_trials

STUDIES = ".digits/studies"
POLL_SECONDS = 1.0
MAX_CONSECUTIVE_CRASHES = 3  # of workers, without a trial finished in between


@contextmanager
def open_engine(store: Store, search: Search, total: int, storage: str | None) -> Iterator[Engine]:
    """Create the study of a search, or join it if it exists.

    Raises
    ------
    UsageError
        If a study of this name belongs to another search.
    DigitsError
        If its storage cannot be used, or its run is not in the tracking store.
    """

    def make_run() -> str:
        return create_run(store, f"tune {search.name}")

    folder = _folder(store, search.name)
    with search.library.open(search, folder, total, storage, make_run) as engine:
        _require_run(store, search, engine)
        yield engine


def run_search(task: Task, run: Run, total: int, executor: ExecutorConfig, progress: Progress) -> None:
    """Run workers until all trials have ended.

    Raises
    ------
    SearchFailedError
        If too many trials have failed in a row, or too many workers have crashed.
    """
    engine, started, crashes = task.engine, 0, 0
    _requeue_abandoned(task.store, engine, suspect=False)
    finished = counts(engine.trials())["trials"]
    shown = SearchProgress(run, task.search, total, progress)
    with _requeuing_on_interruption(task, run.id), executor.open() as workers:
        while engine.remaining() > 0:
            while engine.available() and workers.running() < min(workers.capacity, engine.remaining()):
                workers.submit(f"worker-{started}", run_trials, task)
                started += 1
            if not workers.running():
                shown.wait_for_others()
            for ended in workers.wait(POLL_SECONDS):
                if ended.error:
                    raise ended.error
                if ended.crash:
                    crashes += 1
                    progress.log(f"{ended.name} {ended.crash}")
            _requeue_abandoned(task.store, engine, suspect=True)
            trials = engine.trials()
            shown.update(trials)
            if counts(trials)["trials"] > finished:
                crashes, finished = 0, counts(trials)["trials"]
            _check_failures(trials, task.first, crashes)
        while workers.running():  # a worker whose trial has ended has yet to end its run
            workers.wait(POLL_SECONDS)
    shown.update(engine.trials())
    _delete_checkpoints(task.checkpoints, best_trial(engine.trials()))


def new_task(store: Store, search: Search, engine: Engine, dataset: str, data_dir: Path | None) -> Task:
    """Describe the work of this command's workers."""
    checkpoints = _folder(store, search.name) / "checkpoints" if search.algorithm.continues else None
    first = len(engine.trials())
    return Task(store, search, engine, dataset, data_dir, this_process(), first, checkpoints)


def _folder(store: Store, study: str) -> Path:
    """Return the folder of a study's files; each experiment has its own, because they contain ids of its runs."""
    experiment = hashlib.sha256(f"{store.uri} {store.experiment_id}".encode()).hexdigest()[:8]
    return store.root / STUDIES / experiment / quote(study, safe="").replace(".", "%2E")


def _require_run(store: Store, search: Search, engine: Engine) -> None:
    run_id = engine.parent_run()
    if not run_exists(store, run_id):
        raise DigitsError(
            f"study {search.name!r} belongs to run {run_id}, which is not in the tracking store {store.uri}; "
            "set MLFLOW_TRACKING_URI to the store that the study was created with, or use a new name with --study NAME"
        )


@contextmanager
def _requeuing_on_interruption(task: Task, run_id: str) -> Iterator[None]:
    """Requeue, when the search is interrupted, the trials whose workers could not do so themselves."""
    try:
        yield
    except BaseException as error:
        release_frames(error)
        killed = end_children(task.store, run_id, {OWNER: task.owner})
        for trial in task.engine.trials():
            if trial.state == "running" and trial.run_id in killed:
                task.engine.requeue(trial.number, "interrupted", suspect=False)
        raise


def _requeue_abandoned(store: Store, engine: Engine, *, suspect: bool) -> None:
    """Requeue the trials whose process was killed, and end their runs."""
    for trial in engine.abandoned():
        engine.requeue(trial.number, "its process ended unexpectedly", suspect=suspect)
        if trial.run_id:
            end_run(store, trial.run_id, "FAILED")


def _check_failures(trials: Sequence[Trial], first: int, crashes: int) -> None:
    failures = consecutive_failures(trials, first)
    if len(failures) >= MAX_CONSECUTIVE_FAILURES:
        raise SearchFailedError(
            f"{len(failures)} trials failed in a row, the last one with {failures[0].error}; "
            "fix this and re-run the command"
        )
    if crashes >= MAX_CONSECUTIVE_CRASHES:
        raise SearchFailedError(f"{crashes} workers crashed in a row; use fewer workers, or give them more memory")


def _delete_checkpoints(folder: Path | None, best: Trial | None) -> None:
    """Delete the trainings of all trials but the best."""
    for trial in folder.iterdir() if folder and folder.exists() else ():
        if best is None or trial.name != best.name:
            shutil.rmtree(trial)
