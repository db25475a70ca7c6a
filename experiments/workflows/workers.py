"""Work done by other processes: on this machine, or on a Ray cluster."""

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

STOP_SECONDS = 30  # for a worker to end what it does when it is told to stop
TERMINATED = 143
LAST_LINES = 5  # of what a worker that died had to say


@dataclass(frozen=True)
class Ended:
    """A piece of work that is over: `result` is what it returned, `error` the exception it raised.

    `died` says how its process ended where it could do neither.
    """

    name: str
    result: Any = None
    error: Exception | None = None
    died: str | None = None


class Workers(Protocol):
    """Processes that do work side by side, at most `capacity` pieces at once; all are stopped on leaving the block."""

    capacity: int

    def __enter__(self) -> Self:
        """Get ready."""

    def __exit__(self, *error: object) -> None:
        """Stop all that is running."""

    def start(self, name: str, work: Callable[..., Any], *arguments: Any) -> None:
        """Begin a piece of work in a process of its own; `work` and its arguments must be picklable."""

    def running(self) -> int:
        """Return how many pieces are being done."""

    def ended(self, seconds: float) -> list[Ended]:
        """Wait until a piece is over, or so long, and return those that are."""


class InProcess:
    """Workers that are this process: a piece of work is done as soon as it is begun."""

    capacity = 1

    def __init__(self) -> None:
        self._ended: list[Ended] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def start(self, name: str, work: Callable[..., Any], *arguments: Any) -> None:
        """Do a piece of work."""
        try:
            self._ended.append(Ended(name, work(*arguments)))
        except Exception as error:
            self._ended.append(Ended(name, error=error))

    def running(self) -> int:
        """Return how many pieces have ended and not been told."""
        return len(self._ended)

    def ended(self, seconds: float) -> list[Ended]:  # noqa: ARG002 - there is nothing to wait for
        """Return the piece that has ended."""
        told, self._ended = self._ended, []
        return told


@dataclass(frozen=True)
class Place:
    """Where workers run, and how many at once.

    Attributes
    ----------
    workers
        At once, >= 1.
    cluster
        Address of a Ray cluster (``auto``, ``ray://HOST:10001``, ``HOST:6379``); None for this machine.
    cpus, gpus
        What each worker needs of a node of the cluster, >= 0; parts are allowed.

    Raises
    ------
    UsageError
        For a value out of its range.
    """

    workers: int = 1
    cluster: str | None = None
    cpus: float = 1.0
    gpus: float = 0.0

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise UsageError(f"workers must be at least 1, received {self.workers}")
        for name in ("cpus", "gpus"):
            if getattr(self, name) < 0:
                raise UsageError(f"worker-{name} must be at least 0, received {getattr(self, name)}")

    def open(self) -> "Workers":
        """Return the workers, to be entered with ``with``."""
        if self.cluster is None:
            return LocalWorkers(self.workers)
        from experiments.workflows.ray_workers import RayWorkers

        return RayWorkers(self.cluster, self.workers, self.cpus, self.gpus)


class LocalWorkers:
    """Processes of this machine, started afresh (spawned) for each piece of work.

    Parameters
    ----------
    capacity
        How many at once, >= 1. They share the processor's cores evenly.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
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

    def start(self, name: str, work: Callable[..., Any], *arguments: Any) -> None:
        """Begin a piece of work."""
        answer, to_answer = self._context.Pipe(duplex=False)
        log = Path(self._folder.name, f"{name}.log")
        threads = max(1, usable_cores() // self.capacity) if self.capacity > 1 else None
        process = self._context.Process(target=_work, args=(to_answer, log, threads, work, arguments), name=name)
        process.start()
        to_answer.close()
        self._processes[name] = (process, answer, log)

    def running(self) -> int:
        """Return how many pieces are being done."""
        return len(self._processes)

    def ended(self, seconds: float) -> list[Ended]:
        """Wait until a piece is over, or so long, and return those that are."""
        answers = {answer: name for name, (_, answer, _) in self._processes.items()}
        if not answers:
            time.sleep(seconds)
        return [self._collect(answers[answer]) for answer in connection.wait(list(answers), seconds)]

    def _collect(self, name: str) -> Ended:
        process, answer, log = self._processes.pop(name)
        try:
            result, error = answer.recv()
        except (EOFError, OSError):  # it ended before, or halfway through, its answer
            process.join()
            return Ended(name, died=_epitaph(process.exitcode, log))
        process.join(STOP_SECONDS)
        return Ended(name, result, error)


def _epitaph(code: int | None, log: Path) -> str:
    """Say how a process ended that could not say so itself."""
    if code is not None and code < 0:
        how = f"ended by signal {-code}" + (" (out of memory?)" if -code == signal.SIGKILL else "")
    else:
        how = f"ended with exit code {code}"
    lines = log.read_text(errors="replace").splitlines()[-LAST_LINES:] if log.exists() else []
    return "; ".join([how, *(line.strip() for line in lines if line.strip())])


def _work(to_answer: Any, log: Path, threads: int | None, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Do a piece of work in a new process and send what it returned, or the exception it raised."""
    with log.open("w") as file:  # TensorFlow's chatter, and what it has to say when it crashes
        os.dup2(file.fileno(), 2)
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    stop_with_parent()
    if threads:
        from experiments.training.threads import limit_threads

        limit_threads(threads)
    try:
        with heeding_signals():
            answer: tuple[Any, Exception | None] = (work(*arguments), None)
    except Exception as error:
        answer = (None, _sendable(error))
    except SystemExit as end:
        os._exit(end.code if isinstance(end.code, int) else TERMINATED)
    to_answer.send(answer)
    os._exit(0)  # TensorFlow takes seconds to take itself apart


def _sendable(error: Exception) -> Exception:
    """Return an exception with its traceback as a note; one of a kind that can be sent, if its own cannot."""
    note = "".join(traceback.format_exception(error))
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    except Exception:  # an exception's class may do anything here
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(note)
    return error


def _stop(*_: Any) -> NoReturn:
    sys.exit(TERMINATED)
