"""Work for other processes, in a module that they import at once."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from experiments.errors import DigitsError

PATIENCE = 60  # seconds: new processes take their time on a busy machine


@dataclass(frozen=True)
class Outcome:
    """Result of a step in these tests."""

    run_id: str
    value: int
    process: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class TwoPartError(Exception):
    """An exception that cannot be made from its text alone."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what}: {why}")


def add(a: int, b: int) -> int:
    return a + b


def fail(error: Exception) -> None:
    raise error


def fail_in_two_parts() -> None:
    raise TwoPartError("no luck", "at all")


def die(how: int) -> None:
    """End by a signal, or by the exit code -`how` without any clearing up."""
    sys.stderr.write("famous\n\n   last words  \n")
    sys.stderr.flush()
    if how > 0:
        os.kill(os.getpid(), how)
    os._exit(-how)


def leave(code: int) -> None:
    sys.exit(code)


def unpicklable() -> Callable[[], None]:
    return lambda: None


def die_while_answering() -> bytes:
    """End by SIGKILL once so much of the result is sent as fits a pipe that nobody reads."""
    main = threading.get_ident()

    def watch() -> None:
        while sys._current_frames()[main].f_code.co_name != "_send":
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
    return bytes(50_000_000)


def sleep(file: Path, stubborn: bool = False) -> None:
    """Say who sleeps, and leave a note when told to stop, unless it is stubborn."""
    if stubborn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    fresh = file.with_suffix(".new")
    fresh.write_text(str(os.getpid()))
    fresh.rename(file)
    try:
        time.sleep(600)
    finally:
        file.with_suffix(".stopped").touch()


def piece(folder: Path, name: str, value: int, ended: Mapping[str, Any], *_: Any, parent: str, **__: Any) -> Outcome:
    """Leave a line for each time it is done; raise or die where a file tells so."""
    with (folder / f"{name}.times").open("a") as file:
        file.write("done\n")
    if (folder / f"{name}.fail").exists():
        raise DigitsError("no luck\nat all")
    if (folder / f"{name}.die").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    return Outcome(parent, value + sum(step.result["value"] for step in ended.values()), os.getpid())


def meet(folder: Path, name: str, other: str, *_: Any, parent: str, **__: Any) -> Outcome:
    """Wait for another piece of work to be begun: there is no end unless both are done at once."""
    (folder / name).touch()
    deadline = time.monotonic() + PATIENCE
    while not (folder / other).exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return Outcome(parent, 0, os.getpid())


def threads() -> int:
    import tensorflow as tf

    return int(tf.config.threading.get_intra_op_parallelism_threads())
