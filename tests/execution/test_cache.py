"""What stages keep, and for how long."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

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
