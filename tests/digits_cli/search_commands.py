"""Searches as commands in processes of their own, and what they leave in MLflow."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, Self

import psutil

from experiments.tracking import Store
from experiments.tuning.storage import open_storage

SPACE = {"units_1", "dropout", "learning_rate"}
PATIENCE = 180  # seconds: new processes take their time on a busy machine
TESTS = Path(__file__).parents[1]
# Lets processes that are started with it hold their trials, see `Hold`.
HOLDING = os.pathsep.join(map(str, (TESTS / "digits_cli/held_trials", TESTS, TESTS.parent)))


class Hold:
    """Holds the trials of a store after their first epoch; unless it says otherwise they train nothing."""

    def __init__(self, store: Store, *, passing: int = 0) -> None:
        self.held, self.untrained = store.root / "held", store.root / "untrained"
        self.held.mkdir()
        self.untrained.touch()
        for number in range(passing):
            (self.held / f"pass{number}").touch()

    def release(self) -> None:
        shutil.rmtree(self.held)


class Command:
    """A command in a process group of its own, as a terminal starts it; all that is left of it is killed in the end."""

    def __init__(self, words: str, home: Path | None = None) -> None:
        if home:
            home.mkdir()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "digits_cli", *words.split()],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": HOLDING, **({"DIGITS_HOME": str(home)} if home else {})},
            process_group=0,
            # In the background of a script Ctrl-C is ignored, and children inherit that.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        with suppress(ValueError):  # its output was read before
            self.process.communicate()

    def wait_until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > deadline or self.process.poll() is not None:
                self.process.kill()
                raise AssertionError(self.end())
            time.sleep(0.5)  # what is waited for is read from the database

    def children(self) -> list[psutil.Process]:
        """Return the processes that it has started, and those that they have."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self) -> tuple[int, str, str]:
        """Wait for its end; return its exit code and what it said on stdout and stderr."""
        out, err = self.process.communicate(timeout=300)
        assert "Traceback" not in err
        return self.process.returncode, out, err

    def result(self) -> Any:
        """Wait for its success; return what it prints with --json."""
        ended, out, err = self.end()
        assert ended == 0, err
        return json.loads(out)


def open_together(url: str, barrier: Barrier) -> None:
    """Open a database when all others that wait at the barrier do."""
    barrier.wait(PATIENCE)
    open_storage(url)


def runs_of(store: Store, kind: str) -> list[Any]:
    """Return the runs of searches (``tune``) or trials (``trial``), the newest first."""
    return list(store.client.search_runs([store.experiment_id], f"tags.digits.kind = '{kind}'"))


def statuses(store: Store, kind: str) -> list[str]:
    return sorted(run.info.status for run in runs_of(store, kind))


def halfway(store: Store) -> list[Any]:
    """Return the runs of the trials that are being trained."""
    runs = runs_of(store, "trial")
    return [run for run in runs if run.info.status == "RUNNING" and "val_loss" in run.data.metrics]


def pid(run: Any) -> int:
    """Return the number of the process that made a run."""
    return int(run.data.tags["digits.process"].rsplit(":", 2)[1])


def cut_off_and_repeated(store: Store, finished: int) -> list[Any]:
    """Return the runs of trials that were cut off, of which each was repeated, so that so many are finished."""
    runs = runs_of(store, "trial")
    done = [run for run in runs if run.info.status == "FINISHED"]
    cut_off = [run for run in runs if run.info.status in ("KILLED", "FAILED")]
    assert (len(done), len(done) + len(cut_off)) == (finished, len(runs))
    for run in cut_off:
        assert _tried(run) in [_tried(one) for one in done]
    return cut_off


def _tried(run: Any) -> dict[str, str]:
    return {name: run.data.params[name] for name in SPACE}
