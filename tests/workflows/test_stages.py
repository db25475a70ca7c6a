"""What stages keep, and for how long."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from experiments.workflows.listener import Listener
from experiments.workflows.stages import Arrays, Stages, discard_unused

OLD = time.time() - 31 * 86_400


def made(value: int) -> Callable[[object], Arrays]:
    return lambda _: {"points": np.full(3, value)}


def refused(_: object) -> Arrays:
    raise AssertionError("this was done before")


def age(place: Path) -> None:
    for path in place.rglob("*"):
        os.utime(path, (OLD, OLD))


def test_what_was_done_is_not_done_again(tmp_path: Path) -> None:
    stages = Stages(Listener(), "lenet")
    stages.kept("map", tmp_path / "net", {"k": 1}, made(5))
    assert stages.kept("map", tmp_path / "net", {"k": 1}, refused)["points"].tolist() == [5, 5, 5]
    assert stages.kept("map", tmp_path / "net", {"k": 2}, made(6))["points"].tolist() == [6, 6, 6]


@pytest.mark.parametrize("folder", ["data/net", "data/net/transfer-abc"])
def test_what_is_used_stays_and_what_nobody_used_goes(tmp_path: Path, folder: str) -> None:
    stages = Stages(Listener(), "lenet")
    for place in (folder, "data/forgotten", "forgotten/net"):
        stages.kept("map", tmp_path / place, {}, made(5))
    stages.kept("held out", tmp_path / "data", {}, made(7))
    age(tmp_path)
    stages.kept("map", tmp_path / folder, {}, refused)
    discard_unused(tmp_path)
    assert {path.name for path in tmp_path.glob("*/*") if path.is_dir()} == {"net"}
    stages.kept("map", tmp_path / folder, {}, refused)
    stages.kept("held out", tmp_path / "data", {}, refused)
    age(tmp_path)
    discard_unused(tmp_path)
    assert list(tmp_path.iterdir()) == []
