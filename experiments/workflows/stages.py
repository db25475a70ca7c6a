"""The stages of a long piece of work: told as they begin, timed, and kept so that none is done twice."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.workflows.listener import Listener

Arrays = Mapping[str, NDArray[Any]]


class Stages:
    """Tells and times stages.

    Attributes
    ----------
    seconds
        Wall time of each stage that is over, in their order.
    """

    def __init__(self, listener: Listener, name: str) -> None:
        self.seconds: dict[str, float] = {}
        self._listener, self._name = listener, name

    @contextmanager
    def __call__(self, stage: str) -> Iterator[Callable[[int, int], None]]:
        """Begin a stage; yield what hears how much of it is done."""
        self._listener.stage(f"{self._name}: {stage}")
        start = perf_counter()
        yield self._listener.advance
        self.seconds[stage] = self.seconds.get(stage, 0.0) + perf_counter() - start


def kept(file: Path, make: Callable[[], Arrays]) -> Arrays:
    """Return arrays by name from an ``.npz`` file, which is made where it does not exist."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(".new.npz")
        np.savez(fresh, allow_pickle=False, **make())
        fresh.rename(file)
    with np.load(file) as arrays:
        return dict(arrays)
