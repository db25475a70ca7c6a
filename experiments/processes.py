"""Processes by a name that tells the same number used again, and a process on another machine, apart; the machine."""

import os
import platform
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

AGAIN_SECONDS = 0.05
CPUINFO = Path("/proc/cpuinfo")  # where Linux tells of the processor
GPUS = Path("/proc/driver/nvidia/gpus")  # and NVIDIA's driver of its GPUs


def this_process() -> str:
    """Return ``HOST:PID:START`` of the process that calls, its start in seconds since 1970."""
    import psutil

    return f"{platform.node()}:{os.getpid()}:{psutil.Process().create_time():.0f}"


def usable_cores() -> int:
    """Return how many of the machine's cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def this_machine() -> str:
    """Return the processor's name, how many cores this process may use, and NVIDIA's GPUs, for people to read."""
    processor = next(processor_info("model name"), "") or platform.processor() or platform.machine()
    gpus = [name for file in sorted(GPUS.glob("*/information")) for name in _named(file, "Model")]
    return ", ".join([processor, f"{usable_cores()} cores", *gpus])


def processor_info(key: str) -> Iterator[str]:
    """Yield the values of a key in Linux's description of the processors; none on other systems."""
    return _named(CPUINFO, key)


def _named(file: Path, key: str) -> Iterator[str]:
    """Yield the values of a key in a file of lines ``key : value``; none where there is no such file."""
    try:
        lines = [line.partition(":") for line in file.read_text().splitlines()]
    except OSError:
        return
    yield from (value.strip() for name, _, value in lines if name.strip() == key)


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
    from multiprocessing import connection, parent_process

    parent = parent_process()
    if parent is None:
        return

    def wait() -> None:
        connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


class _Remembering:
    """The handler of SIGINT and SIGTERM, which calls those there were and remembers what they raised.

    While that is on its way, a further signal counts only if it is a user's Ctrl-C: who ends processes for another
    reason may do so twice, and they need the time to end well.
    """

    def __init__(self) -> None:
        known = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        self.handlers = {number: handler for number, handler in known.items() if callable(handler)}
        self.raised: BaseException | None = None

    def __call__(self, number: int, frame: Any) -> None:
        handler = self.handlers[signal.Signals(number)]
        if self.raised and handler is not signal.default_int_handler:
            return
        try:
            handler(number, frame)
        except BaseException as error:
            self.raised = error
            raise


@contextmanager
def heeding_signals() -> Iterator[None]:
    """Let no KeyboardInterrupt or SystemExit of a signal's handler get lost while the block runs.

    Python prints and drops an exception that comes up within a ``__del__``, of which TensorFlow has many at the start
    of a training: one signal in ten was lost there. Such an exception is raised again a moment later. C code may drop
    exceptions of the Python code it calls; what is lost in other ways than the first is raised by `heed_signals`.
    """
    remembering, other = _Remembering(), sys.unraisablehook

    def hook(lost: "UnraisableHookArgs") -> None:
        if isinstance(lost.exc_value, KeyboardInterrupt | SystemExit):
            signal.signal(signal.SIGALRM, lambda *_: heed_signals())
            signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)
        else:
            other(lost)

    sys.unraisablehook = hook
    for number in remembering.handlers:
        signal.signal(number, remembering)
    try:
        yield
    finally:
        for number, handler in remembering.handlers.items():
            signal.signal(number, handler)
        sys.unraisablehook = other


def heed_signals() -> None:
    """Raise once more what the handler of a signal has raised, if anything; to be called while there is work to do."""
    for number in (signal.SIGINT, signal.SIGTERM):
        handler = signal.getsignal(number)
        if isinstance(handler, _Remembering) and handler.raised:
            raise type(handler.raised)(*handler.raised.args)
