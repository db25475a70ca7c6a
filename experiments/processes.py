"""Processes by a name that tells the same number used again, and a process on another machine, apart; the machine."""

import multiprocessing
import multiprocessing.connection
import os
import platform
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

AGAIN_SECONDS = 0.05
CPUINFO = Path("/proc/cpuinfo")  # where Linux tells of the processor


def this_process() -> str:
    """Return ``HOST:PID:START`` of the process that calls, its start in seconds since 1970."""
    import psutil

    return f"{platform.node()}:{os.getpid()}:{psutil.Process().create_time():.0f}"


@cache
def this_machine() -> str:
    """Return the processor's name and how many cores this process may use, for people to read."""
    try:
        lines = [line.partition(":") for line in CPUINFO.read_text().splitlines()]
    except OSError:
        lines = []
    named = [value.strip() for name, _, value in lines if name.strip() == "model name"]
    processor = named[0] if named else platform.processor() or platform.machine()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return f"{processor}, {cores} cores"


def is_here(process: str) -> bool:
    """Tell whether a process named by `this_process` runs or ran on this machine."""
    return process.rsplit(":", 2)[0] == platform.node()


def is_dead(process: str) -> bool:
    """Tell whether a process of this machine is gone; of those elsewhere nothing is known, so that it is False."""
    import psutil

    _, pid, started = process.rsplit(":", 2)
    if not is_here(process):
        return False
    try:
        found = psutil.Process(int(pid))
        return found.status() == psutil.STATUS_ZOMBIE or abs(found.create_time() - float(started)) >= 2
    except psutil.Error:
        return True


def stop_with_parent() -> None:
    """Send SIGTERM to this process, which `multiprocessing` has started, when its parent is gone, however it ended."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


@contextmanager
def heeding_signals() -> Iterator[None]:
    """Let no KeyboardInterrupt or SystemExit of a signal's handler get lost while the block runs.

    Python prints and drops an exception that comes up within a ``__del__``, and TensorFlow has many of those at the
    start of a training: one signal in ten was lost there. Such an exception is raised again a moment later.
    """
    other = sys.unraisablehook

    def hook(lost: "UnraisableHookArgs") -> None:
        if isinstance(lost.exc_value, KeyboardInterrupt | SystemExit):
            signal.signal(signal.SIGALRM, partial(_raise_again, type(lost.exc_value), lost.exc_value.args))
            signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)
        else:
            other(lost)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = other


def _raise_again(kind: type[BaseException], arguments: tuple[Any, ...], *_: Any) -> NoReturn:
    raise kind(*arguments)
