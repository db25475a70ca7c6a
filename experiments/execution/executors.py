"""Executors run tasks in this process, in processes of this machine, or on a Ray cluster."""

import os
import pickle
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import connection, get_context
from pathlib import Path
from typing import Any, NoReturn, Protocol, Self

from experiments.errors import UsageError
from experiments.processes import heeding_signals, stop_with_parent, usable_cores

STOP_SECONDS = 30  # from SIGTERM to SIGKILL
TERMINATED = 143
LAST_LINES = 5  # of a crashed process's stderr


@dataclass(frozen=True)
class Finished:
    """A finished task.

    Attributes
    ----------
    result
        Its return value.
    error
        The exception it raised.
    crash
        Description of how its process ended, if it neither returned nor raised.
    """

    name: str
    result: Any = None
    error: Exception | None = None
    crash: str | None = None


class Executor(Protocol):
    """Runs at most `capacity` tasks at a time; leaving the ``with`` block stops those that are running."""

    capacity: int

    def __enter__(self) -> Self:
        """Get ready."""

    def __exit__(self, *error: object) -> None:
        """Stop all running tasks."""

    def submit(self, name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Start a task; the function and its arguments must be picklable if it runs in another process."""

    def running(self) -> int:
        """Return the number of tasks that were submitted and not yet returned by `wait`."""

    def wait(self, seconds: float) -> list[Finished]:
        """Wait until a task finishes, or for so long, and return the finished tasks."""


class InProcessExecutor:
    """Runs each task in this process when it is submitted."""

    capacity = 1

    def __init__(self) -> None:
        self._finished: list[Finished] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def submit(self, name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Run a task."""
        try:
            self._finished.append(Finished(name, function(*args, **kwargs)))
        except Exception as error:
            self._finished.append(Finished(name, error=error))

    def running(self) -> int:
        """Return the number of tasks not yet returned by `wait`."""
        return len(self._finished)

    def wait(self, seconds: float) -> list[Finished]:  # noqa: ARG002 - there is nothing to wait for
        """Return the finished task."""
        finished, self._finished = self._finished, []
        return finished


@dataclass(frozen=True)
class ExecutorConfig:
    """Describes an executor of other processes.

    Attributes
    ----------
    workers
        Tasks at a time, >= 1.
    cluster
        Address of a Ray cluster (``auto``, ``ray://HOST:10001``, ``HOST:6379``); None for this machine.
    cpus, gpus
        Resources of a cluster node that each task needs, >= 0; may be fractions.
    trains
        Whether tasks train networks.

    Raises
    ------
    UsageError
        If a value is out of range.
    """

    workers: int = 1
    cluster: str | None = None
    cpus: float = 1.0
    gpus: float = 0.0
    trains: bool = True

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise UsageError(f"workers must be at least 1, received {self.workers}")
        for name in ("cpus", "gpus"):
            if getattr(self, name) < 0:
                raise UsageError(f"worker-{name} must be at least 0, received {getattr(self, name)}")

    def open(self) -> Executor:
        """Return the executor, to be entered with ``with``."""
        if self.cluster is None:
            return ProcessExecutor(self.workers, self.trains)
        from experiments.execution.ray_executor import RayExecutor

        return RayExecutor(self.cluster, self.workers, self.cpus, self.gpus)


class ProcessExecutor:
    """Runs each task in a newly spawned process of this machine.

    `concurrent.futures` and loky cannot stop a running task, and one that is killed takes the whole pool with it; here
    it ends alone, with its exit code and its last lines.

    Parameters
    ----------
    capacity
        Tasks at a time, >= 1.
    trains
        Whether they train networks: they then share the processor's cores evenly.
    """

    def __init__(self, capacity: int, trains: bool = True) -> None:
        self.capacity = capacity
        self._trains = trains
        self._context = get_context("spawn")
        self._processes: dict[str, tuple[Any, Any, Path]] = {}

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        return self

    def __exit__(self, *error: object) -> None:
        for process, _, _ in self._processes.values():
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process, _, _ in self._processes.values():
            process.join(max(0.0, deadline - time.monotonic()))
            process.kill()
            process.join()
        self._folder.cleanup()

    def submit(self, name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Start a task."""
        receiver, sender = self._context.Pipe(duplex=False)
        log = Path(self._folder.name, f"{name}.log")
        threads = max(1, usable_cores() // self.capacity) if self._trains and self.capacity > 1 else None
        process = self._context.Process(target=_run, args=(sender, log, threads, function, args, kwargs), name=name)
        process.start()
        sender.close()
        self._processes[name] = (process, receiver, log)

    def running(self) -> int:
        """Return the number of running tasks."""
        return len(self._processes)

    def wait(self, seconds: float) -> list[Finished]:
        """Wait until a task finishes, or for so long, and return the finished tasks."""
        names = {receiver: name for name, (_, receiver, _) in self._processes.items()}
        return [self._collect(names[receiver]) for receiver in connection.wait(list(names), seconds)]

    def _collect(self, name: str) -> Finished:
        process, receiver, log = self._processes.pop(name)
        try:
            result, error = receiver.recv()
        except (EOFError, OSError):  # it ended before or while it sent its result
            process.join()
            return Finished(name, crash=_describe_exit(process.exitcode, log))
        process.join(STOP_SECONDS)
        return Finished(name, result, error)


def _describe_exit(code: int | None, log: Path) -> str:
    """Describe the end of a crashed process by its exit code and the last lines of its stderr."""
    if code is not None and code < 0:
        how = f"ended by signal {-code}" + (" (out of memory?)" if -code == signal.SIGKILL else "")
    else:
        how = f"ended with exit code {code}"
    lines = log.read_text(errors="replace").splitlines()[-LAST_LINES:] if log.exists() else []
    return "; ".join([how, *(line.strip() for line in lines if line.strip())])


def _run(
    sender: Any,
    log: Path,
    threads: int | None,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> None:
    """Run a task in a new process and send its return value, or the exception it raised."""
    with log.open("w") as file:  # for TensorFlow's messages, and those of a crash
        os.dup2(file.fileno(), 2)
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    stop_with_parent()
    if threads:
        from experiments.training.threads import limit_threads

        limit_threads(threads)
    try:
        with heeding_signals():
            message: tuple[Any, Exception | None] = (function(*args, **kwargs), None)
    except Exception as error:
        message = (None, _sendable(error))
    except SystemExit as end:
        os._exit(end.code if isinstance(end.code, int) else TERMINATED)
    sender.send(message)
    os._exit(0)  # a normal exit of TensorFlow takes seconds


def _sendable(error: Exception) -> Exception:
    """Return an exception with its traceback as a note, or a RuntimeError with its text if it cannot be pickled."""
    note = "".join(traceback.format_exception(error))
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    except Exception:  # an exception's class may do anything here
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(note)
    return error


def _stop(*_: Any) -> NoReturn:
    sys.exit(TERMINATED)
