"""The cache of stages: reuse and expiry."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.execution import Cache, Progress, Stages
from experiments.execution.cache import Arrays, discard_unused

OLD = time.time() - 31 * 86_400


def made(value: int) -> Callable[[object], Arrays]:
    return lambda _: {"points": np.full(3, value)}


def refused(_: object) -> Arrays:
    raise AssertionError("this was done before")


def age(place: Path) -> None:
    for path in place.rglob("*"):
        os.utime(path, (OLD, OLD))


def test_what_was_done_is_not_done_again(tmp_path: Path) -> None:
    stages = Stages(Progress(), "lenet")
    Cache(tmp_path / "net", stages).get_or_compute("map", {"k": 1}, made(5))
    assert Cache(tmp_path / "net", stages).get_or_compute("map", {"k": 1}, refused)["points"].tolist() == [5, 5, 5]
    assert Cache(tmp_path / "net", stages).get_or_compute("map", {"k": 2}, made(6))["points"].tolist() == [6, 6, 6]


@dataclass(frozen=True, eq=False)
class Map:
    positions: NDArray[np.float32]
    perplexity: float


def test_dataclasses_of_arrays_and_numbers_are_cached(tmp_path: Path) -> None:
    cache = Cache(tmp_path, Stages(Progress(), "lenet"))
    positions = np.arange(6, dtype=np.float32).reshape(3, 2)
    cache.get_or_compute("map", {}, lambda: Map(positions, 2.5), progress=False)
    arrays = cache.get_or_compute("map", {}, refused)
    assert arrays["positions"].dtype == np.float32
    assert arrays["positions"].tolist() == positions.tolist()
    assert float(arrays["perplexity"]) == 2.5
    assert float(arrays["seconds"]) > 0


@pytest.mark.parametrize("folder", ["data/net", "data/net/transfer-abc"])
def test_what_is_used_stays_and_what_nobody_used_goes(tmp_path: Path, folder: str) -> None:
    stages = Stages(Progress(), "lenet")
    for place in (folder, "data/forgotten", "forgotten/net"):
        Cache(tmp_path / place, stages).get_or_compute("map", {}, made(5))
    Cache(tmp_path / "data", stages).get_or_compute("held out", {}, made(7))
    age(tmp_path)
    Cache(tmp_path / folder, stages).get_or_compute("map", {}, refused)
    discard_unused(tmp_path)
    assert {path.name for path in tmp_path.glob("*/*") if path.is_dir()} == {"net"}
    Cache(tmp_path / folder, stages).get_or_compute("map", {}, refused)
    Cache(tmp_path / "data", stages).get_or_compute("held out", {}, refused)
    age(tmp_path)
    discard_unused(tmp_path)
    assert list(tmp_path.iterdir()) == []
