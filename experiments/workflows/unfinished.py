"""What a command that was interrupted leaves behind, for the same command to go on from."""

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
from experiments.tracking import Store

FOLDER = ".digits/unfinished"
KEPT_DAYS = 30  # after which work that nobody went on with is given up


@dataclass(frozen=True)
class Unfinished:
    """Notes of one piece of work, kept until it ends well.

    Attributes
    ----------
    folder
        Its own folder; more may be kept there.
    """

    folder: Path

    def recall(self, name: str) -> Any:
        """Return what was remembered under `name`, or None."""
        file = self.folder / f"{name}.json"
        return json.loads(file.read_text()) if file.exists() else None

    def remember(self, name: str, value: Any) -> None:
        """Keep a JSON value under `name`, replacing an earlier one in one step."""
        fresh = self.folder / f"{name}.new"
        fresh.write_text(json.dumps(value))
        fresh.replace(self.folder / f"{name}.json")


@contextmanager
def unfinished(store: Store, work: str, identity: Mapping[str, Any]) -> Iterator[Unfinished]:
    """Hold the notes of a piece of work; deleted when the block ends well or its request was wrong, kept otherwise.

    Notes of any work that were last written more than `KEPT_DAYS` days ago go too: checkpoints are large.

    Parameters
    ----------
    work
        What it is, for the error message.
    identity
        All that makes it this piece of work and no other (model, recipe, data digest, ...), as JSON values.

    Raises
    ------
    DigitsError
        When another process is doing the same work.
    """
    from filelock import FileLock, Timeout

    text = json.dumps([work, identity, store.uri, store.experiment], sort_keys=True, default=str)
    folder = store.root / FOLDER / hashlib.sha256(text.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        held = FileLock(_lock_file(folder), timeout=0).acquire()
    except Timeout as error:
        raise DigitsError(f"another process is already doing this: {work}; wait for it or stop it") from error
    with held:
        _discard_abandoned(folder.parent)
        try:
            yield Unfinished(folder)
        except UsageError:  # the same command can only fail again
            _discard(folder)
            raise
        _discard(folder)


def last_written(folder: Path) -> float:
    """Return when anything in a folder was last written, in seconds since 1970; now, where others are at work in it."""
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
        if last_written(folder) < oldest:
            with suppress(Timeout), FileLock(_lock_file(folder), timeout=0):
                _discard(folder)


def _discard(folder: Path) -> None:
    shutil.rmtree(folder)
    with suppress(PermissionError):  # Windows removes no file that is open
        _lock_file(folder).unlink(missing_ok=True)
