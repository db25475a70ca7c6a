"""State that an interrupted command leaves behind, from which the same command resumes."""

import hashlib
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.errors import DigitsError, UsageError
from experiments.tracking import Run, Store, open_run
from experiments.tracking.runs import Kind

FOLDER = ".digits/unfinished"
KEPT_DAYS = 30


@dataclass(frozen=True)
class ResumeState:
    """Small JSON values and files of one task, kept until it succeeds.

    Attributes
    ----------
    folder
        Belongs to this task alone; checkpoints may be kept in it too.
    """

    folder: Path

    def load(self, name: str) -> Any:
        """Return the value saved under `name`, or None."""
        file = self.folder / f"{name}.json"
        return json.loads(file.read_text()) if file.exists() else None

    def save(self, name: str, value: Any) -> None:
        """Save a JSON value under `name`, replacing an earlier one atomically."""
        fresh = self.folder / f"{name}.new"
        fresh.write_text(json.dumps(value))
        fresh.replace(self.folder / f"{name}.json")


@contextmanager
def resume_state(store: Store, task: str, identity: Mapping[str, Any]) -> Iterator[ResumeState]:
    """Open the resume state of a task and lock it against other processes.

    The state is deleted when the block succeeds or raises `UsageError`, and kept otherwise. State of any task that
    was last written more than `KEPT_DAYS` days ago is deleted too, because checkpoints are large.

    Parameters
    ----------
    task
        Name of the task, for the error message.
    identity
        JSON values that distinguish this task from all others (model, recipe, data digest, ...).

    Raises
    ------
    DigitsError
        If another process is running the same task.
    """
    from filelock import FileLock, Timeout

    text = json.dumps([task, identity, store.uri, store.experiment], sort_keys=True, default=str)
    folder = store.root / FOLDER / hashlib.sha256(text.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        lock = FileLock(_lock_file(folder), timeout=0).acquire()
    except Timeout as error:
        raise DigitsError(f"another process is already running {task}; wait for it or stop it") from error
    with lock:
        _discard_abandoned(folder.parent)
        try:
            yield ResumeState(folder)
        except UsageError:  # the same command can only fail again
            _discard(folder)
            raise
        _discard(folder)


@contextmanager
def resumable_run(
    store: Store,
    kind: Kind,
    name: str,
    identity: Mapping[str, Any],
    *,
    parent: str | None = None,
    tags: Mapping[str, Any] | None = None,
    task: str | None = None,
) -> Iterator[tuple[Run, ResumeState]]:
    """Open an MLflow run together with its resume state; after an interruption, the same run again.

    Parameters
    ----------
    kind, name, parent, tags
        As in `experiments.tracking.open_run`.
    identity, task
        As in `resume_state`; the task is called like the run by default.

    Raises
    ------
    DigitsError
        As in `resume_state`.
    """
    with (
        resume_state(store, task or name, identity) as saved,
        open_run(store, kind, name, parent=parent, tags=tags, resume=saved.load("run")) as run,
    ):
        saved.save("run", run.id)
        yield run, saved


def last_modified(folder: Path) -> float:
    """Return the time of the last write to a folder or anything in it, in seconds since 1970.

    Returns the current time if files disappear meanwhile: another process is then writing to the folder.
    """
    try:
        return max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
    except FileNotFoundError:
        return time.time()


def _lock_file(folder: Path) -> Path:
    return folder.with_suffix(".lock")


def _discard_abandoned(parent: Path) -> None:
    from filelock import FileLock, Timeout

    oldest = time.time() - KEPT_DAYS * 86_400
    for folder in (path for path in parent.iterdir() if path.is_dir()):
        if last_modified(folder) < oldest:
            with suppress(Timeout), FileLock(_lock_file(folder), timeout=0):
                _discard(folder)


def _discard(folder: Path) -> None:
    shutil.rmtree(folder)
    with suppress(PermissionError):  # Windows removes no file that is open
        _lock_file(folder).unlink(missing_ok=True)
