"""Tasks on the nodes of a Ray cluster."""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from experiments.errors import DigitsError, UsageError
from experiments.execution.executors import Finished

CONNECT_SECONDS = 10
# Settings that a node needs to find data and runs; the code itself must be installed there.
ENVIRONMENT = (
    "DIGITS_DATA_DIR",
    "DIGITS_HOME",
    "KERAS_BACKEND",
    "MLFLOW_TRACKING_URI",
    "MLFLOW_EXPERIMENT_NAME",
    "PYTHONPATH",
)


class RayExecutor:
    """Runs each task in its own process on a Ray cluster, which schedules them by the resources they need.

    Parameters
    ----------
    address
        As `ray.init` takes it.
    capacity
        Tasks at a time, >= 1; some of them wait if the cluster has too few free processors.
    cpus, gpus
        Resources that each task needs.
    """

    def __init__(self, address: str, capacity: int, cpus: float, gpus: float) -> None:
        self.capacity = capacity
        self._address = address
        self._resources = {"num_cpus": cpus, "num_gpus": gpus, "max_retries": 0, "max_calls": 1}
        self._names: dict[Any, str] = {}

    def __enter__(self) -> Self:
        try:
            import ray
        except ImportError as error:
            raise UsageError("--cluster needs Ray: pip install -e '.[cluster]' in the checkout") from error
        self._check_reachable()
        variables = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
        try:
            with _signals_deferred():
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
        """Fail at once where Ray would retry forever."""
        host, _, port = self._address.removeprefix("ray://").rpartition(":")
        if not (host and port.isdecimal()):
            return
        try:
            socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS).close()
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise DigitsError(f"no Ray cluster answers at {self._address}: {reason}") from error

    def submit(self, name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Start a task on a node that has the resources it needs."""
        import ray

        self._names[ray.remote(**self._resources)(function).remote(*args, **kwargs)] = name

    def running(self) -> int:
        """Return the number of tasks that run or wait for a node."""
        return len(self._names)

    def wait(self, seconds: float) -> list[Finished]:
        """Wait until a task finishes, or for so long, and return the finished tasks."""
        import ray

        if not self._names:
            time.sleep(seconds)
            return []
        with _signals_deferred():
            finished, _ = ray.wait(list(self._names), timeout=seconds)
        return [self._collect(reference) for reference in finished]

    def _collect(self, reference: Any) -> Finished:
        import ray

        name = self._names.pop(reference)
        try:
            return Finished(name, ray.get(reference))
        except ray.exceptions.RayTaskError as error:
            return Finished(name, error=error.as_instanceof_cause())
        except ray.exceptions.RayError as error:  # the process or its node is gone
            return Finished(name, crash=(str(error).strip().splitlines() or [type(error).__name__])[0])


@contextmanager
def _signals_deferred() -> Iterator[None]:
    """Deliver Ctrl-C and SIGTERM after the block: Ray's own handlers would exit the process."""
    received: list[int] = []
    signals = (signal.SIGINT, signal.SIGTERM)
    own = {number: signal.signal(number, lambda got, _: received.append(got)) for number in signals}
    try:
        yield
    finally:
        for number, handler in own.items():
            signal.signal(number, handler)
        for first in received[:1]:
            signal.raise_signal(first)
