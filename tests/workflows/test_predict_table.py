"""Reading of many pictures into a table: interrupted at any point, it ends with the table of an undisturbed run."""

import csv
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from known_networks import halves
from picture_writer import put, stroke

from experiments.errors import DigitsError
from experiments.execution.executors import ExecutorConfig, InProcessExecutor
from experiments.execution.progress import Progress
from experiments.inference.batches import Task
from experiments.workflows import predict
from experiments.workflows.predict import PredictOptions, PredictResult, read_into_table

OPTIONS = PredictOptions(("pictures",), (halves(),), Task())
HERE = ExecutorConfig(trains=False)


@pytest.fixture(autouse=True)
def _pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lay eleven pictures into the folder, the fifth of which is none."""
    monkeypatch.chdir(tmp_path)
    for number in range(11):
        put(Path(f"pictures/{number:02}.png"), stroke(thickness=6 + number))
    Path("pictures/04.png").write_text("no picture")


@pytest.fixture
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ExecutorConfig, "open", lambda _: InProcessExecutor())


class StoppedError(Exception):
    """The end of a run."""


class Stopping(Progress):
    """Ends a run once so many pictures are in the table."""

    def __init__(self, after: int) -> None:
        self._after = after

    def advance(self, done: int, total: int) -> None:
        assert total == 11
        if done >= self._after:
            raise StoppedError


def filled(output: str, progress: Progress | None = None, options: PredictOptions = OPTIONS) -> PredictResult:
    return read_into_table(options, Path(output), HERE, progress or Progress(), chunk=3)


@pytest.mark.usefixtures("_in_this_process")
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_run_that_is_interrupted_continues(suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = filled(f"whole.{suffix}")
    assert (whole.pictures, whole.failed) == (11, 1)
    for after in (3, 9):
        with pytest.raises(StoppedError):
            filled(f"cut.{suffix}", Stopping(after))
        with Path(f"cut.{suffix}.part").open("a") as part:
            part.write("half a li")  # as a crash while writing leaves it
        assert not Path(f"cut.{suffix}").exists()
    read: list[str] = []
    work = predict.read_chunk

    def read_chunk(options: PredictOptions, files: list[str]) -> object:
        read.extend(files)
        return work(options, files)

    monkeypatch.setattr(predict, "read_chunk", read_chunk)
    resumed = filled(f"cut.{suffix}")
    assert read == ["pictures/09.png", "pictures/10.png"]
    assert replace(resumed, file=whole.file, seconds=whole.seconds) == whole
    assert Path(f"cut.{suffix}").read_bytes() == Path(f"whole.{suffix}").read_bytes()
    assert sorted(path.name for path in Path().iterdir()) == [f"cut.{suffix}", "pictures", f"whole.{suffix}"]


@pytest.mark.usefixtures("_in_this_process")
def test_other_options_start_again_and_other_pictures_are_refused() -> None:
    with pytest.raises(StoppedError):
        filled("out.csv", Stopping(3))
    put(Path("pictures/00a.png"), stroke())
    with pytest.raises(DigitsError, match=r"changed since pictures/02\.png .* remove out\.csv\.part"):
        filled("out.csv")
    other = filled("out.csv", options=replace(OPTIONS, task=Task(reject_below=1)))
    assert other.pictures == 12
    with Path("out.csv").open(newline="") as file:
        assert {row["digit"] for row in csv.DictReader(file)} == {"?", ""}


@pytest.mark.usefixtures("_in_this_process")
def test_parquet_has_typed_columns() -> None:
    filled("out.parquet")
    columns = pq.read_table("out.parquet").to_pydict()
    assert columns["file"] == [f"pictures/{number:02}.png" for number in range(11)]
    assert columns["digit"] == [1] * 4 + [None] + [1] * 6
    assert columns["is_digit"].count(True) == 10
    assert columns["error"][4].startswith("pictures/04.png ")
    np.testing.assert_allclose(columns["p1"][0], columns["probability"][0])


PROGRAM = """
import os, signal, sys
from pathlib import Path
from experiments.execution.executors import ExecutorConfig
from experiments.execution.progress import Progress
from experiments.inference.batches import Task
from experiments.workflows.predict import PredictOptions, read_into_table

class Killed(Progress):
    def advance(self, done, total):
        if done >= int(sys.argv[1]):
            os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    options = PredictOptions(("pictures",), (Path("small.onnx").read_bytes(),), Task())
    result = read_into_table(options, Path(sys.argv[2]), ExecutorConfig(2, trains=False), Killed(), chunk=3)
    print(result.pictures)
"""


@pytest.mark.slow
def test_a_run_with_two_workers_that_is_killed_ends_with_the_same_table() -> None:
    Path("small.onnx").write_bytes(halves())

    def run(after: int, output: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, str(after), output], capture_output=True, text=True, check=False
        )

    assert run(100, "whole.csv").stdout == "11\n"
    assert run(6, "cut.csv").returncode == -9
    assert Path("cut.csv.part").exists()
    assert run(100, "cut.csv").stdout == "11\n"
    assert Path("cut.csv").read_bytes() == Path("whole.csv").read_bytes()


@pytest.mark.slow
def test_a_worker_that_dies_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predict, "read_chunk", dying)
    with pytest.raises(DigitsError, match=r"a worker ended .* same command continues"):
        filled("out.csv")


def dying(*_: object) -> Iterator[None]:
    import os

    os._exit(3)
