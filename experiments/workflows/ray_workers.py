"""Work done by the nodes of a Ray cluster."""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from experiments.errors import DigitsError, UsageError
from experiments.workflows.workers import Ended

REACH_SECONDS = 10
# What a node must know to find data and runs; the code itself must be installed there.
PASSED_ON = (
    "DIGITS_DATA_DIR",
    "DIGITS_HOME",
    "KERAS_BACKEND",
    "MLFLOW_TRACKING_URI",
    "MLFLOW_EXPERIMENT_NAME",
    "PYTHONPATH",
)


class RayWorkers:
    """Tasks on a Ray cluster, each in a process of its own.

    Parameters
    ----------
    address
        As `ray.init` takes it.
    capacity
        How many at once at most, >= 1; with fewer free processors in the cluster some wait.
    cpus, gpus
        What each needs of its node.
    """

    def __init__(self, address: str, capacity: int, cpus: float, gpus: float) -> None:
        self.capacity = capacity
        self._address = address
        self._needs = {"num_cpus": cpus, "num_gpus": gpus, "max_retries": 0, "max_calls": 1}
        self._names: dict[Any, str] = {}

    def __enter__(self) -> Self:
        try:
            import ray
        except ImportError as error:
            raise UsageError("--cluster needs Ray: pip install -e '.[cluster]' in the checkout") from error
        self._check_reachable()
        variables = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        try:
            with _signals_later():
                ray.init(
                    self._address,
                    runtime_env={"env_vars": variables},
                    log_to_driver=False,
                    logging_level="ERROR",
                )
        except (ConnectionError, RuntimeError, ValueError, TimeoutError, OSError) as error:
            reason = (str(error).splitlines() or [""])[0]
            raise DigitsError(f"no Ray cluster answers at {self._address}: {reason}") from error
        return self

    def __exit__(self, *error: object) -> None:
        import ray

        for reference in self._names:
            ray.cancel(reference, force=True)
        ray.shutdown()

    def _check_reachable(self) -> None:
        """Fail at once where Ray would try again for ever."""
        host, _, port = self._address.removeprefix("ray://").rpartition(":")
        if not (host and port.isdecimal()):
            return
        try:
            socket.create_connection((host, int(port)), timeout=REACH_SECONDS).close()
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise DigitsError(f"no Ray cluster answers at {self._address}: {reason}") from error

    def start(self, name: str, work: Callable[..., Any], *arguments: Any) -> None:
        """Begin a piece of work on a node that has what it needs."""
        import ray

        self._names[ray.remote(**self._needs)(work).remote(*arguments)] = name

    def running(self) -> int:
        """Return how many pieces are being done or wait for a node."""
        return len(self._names)

    def ended(self, seconds: float) -> list[Ended]:
        """Wait until a piece is over, or so long, and return those that are."""
        import ray

        if not self._names:
            time.sleep(seconds)
            return []
        with _signals_later():
            over, _ = ray.wait(list(self._names), timeout=seconds)
        return [self._collect(reference) for reference in over]

    def _collect(self, reference: Any) -> Ended:
        import ray

        name = self._names.pop(reference)
        try:
            return Ended(name, ray.get(reference))
        except ray.exceptions.RayTaskError as error:
            return Ended(name, error=error.as_instanceof_cause())
        except ray.exceptions.RayError as error:  # the process or its node is gone
            return Ended(name, died=(str(error).strip().splitlines() or [type(error).__name__])[0])


@contextmanager
def _signals_later() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM come after the block: Ray sets handlers of its own, and exits in its own way."""
    came: list[int] = []
    own = {number: signal.signal(number, lambda got, _: came.append(got)) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in own.items():
            signal.signal(number, handler)
        for first in came[:1]:
            signal.raise_signal(first)
