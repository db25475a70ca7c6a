"""Pieces of work under one run that workers in other processes do."""

import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from experiments.errors import DigitsError
from experiments.execution import ExecutorConfig, Plan, Progress, Step, StepResult, StepsFailedError, run_steps
from experiments.tracking import Store, open_run
from experiments.workflows.train import TrainOptions, train_seeds

pytestmark = pytest.mark.slow

PATIENCE = 120  # seconds: new processes take their time on a busy machine


@dataclass(frozen=True)
class Outcome:
    """What a piece of work returns here."""

    run_id: str
    value: int
    process: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def make_step(name: str, work: Callable[..., Outcome], requires: tuple[str, ...] = ()) -> Step:
    """Return a step that is given the results it depends on."""
    return Step(name, work, lambda _, inputs: (inputs,), requires)


def piece(
    folder: Path, name: str, value: int, ended: Mapping[str, StepResult], *_: Any, parent: str, **__: Any
) -> Outcome:
    """Leave a line for each time it is done; raise or die where a file tells so."""
    with (folder / f"{name}.times").open("a") as file:
        file.write("done\n")
    if (folder / f"{name}.fail").exists():
        raise DigitsError("no luck\nat all")
    if (folder / f"{name}.die").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    return Outcome(parent, value + sum((step.result or {})["value"] for step in ended.values()), os.getpid())


def meet(store: Store, folder: Path, name: str, other: str, *_: Any, parent: str, **__: Any) -> Outcome:
    """Wait for another piece of work to be begun: there is no end unless both are done at once."""
    (folder / name).touch()
    deadline = time.monotonic() + PATIENCE
    while not (folder / other).exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with open_run(store, "train", name, parent=parent) as run:
        return Outcome(run.id, 0, os.getpid())


class ProgressLog(Progress):
    """Keeps what is said, and interrupts at a certain line."""

    def __init__(self, interrupt_at: str = "") -> None:
        self.lines: list[str] = []
        self.interrupt_at = interrupt_at
        self.advanced: list[tuple[int, int]] = []

    def log(self, text: str) -> None:
        self.lines.append(text)
        if text == self.interrupt_at:
            raise KeyboardInterrupt

    def advance(self, done: int, total: int) -> None:
        self.advanced.append((done, total))


def plan(*steps: Step) -> Plan:
    return Plan("suite", "suite apart", steps, {"profile": "test"}, "A test.", {"digits.dataset": "uci"})


def pieces(folder: Path) -> list[Step]:
    """Return a, b, c, and d, which needs a and c."""
    requires = {"a": (), "b": (), "c": (), "d": ("a", "c")}
    return [make_step(name, partial(piece, folder, name, 10**i), requires[name]) for i, name in enumerate("abcd")]


def times(folder: Path) -> dict[str, int]:
    return {file.stem: len(file.read_text().splitlines()) for file in sorted(folder.glob("*.times"))}


def suites(store: Store) -> list[tuple[str, str]]:
    found = store.client.search_runs([store.experiment_id], "tags.`digits.kind` = 'suite'")
    return [(run.info.run_id, run.info.status) for run in found]


def test_steps_are_done_side_by_side(store: Store, tmp_path: Path) -> None:
    steps = [make_step(name, partial(meet, store, tmp_path, name, other)) for name, other in (("a", "b"), ("b", "a"))]
    log = ProgressLog()
    done = run_steps(store, plan(*steps), log, executor=ExecutorConfig(2))
    assert [(step.name, step.status) for step in done.steps] == [("a", "done"), ("b", "done")]
    assert log.lines[:2] == ["a: started", "b: started"]
    assert log.advanced == [(1, 2), (2, 2)]
    processes = {(step.result or {})["process"] for step in done.steps}
    assert len(processes) == 2
    assert os.getpid() not in processes
    for step in done.steps:
        run = store.client.get_run(str(step.run_id))
        assert (run.data.tags["mlflow.parentRunId"], run.info.status) == (done.run_id, "FINISHED")
    assert suites(store) == [(done.run_id, "FINISHED")]


def test_steps_that_fail_stop_only_those_that_need_them_and_are_repeated_whatever_interrupts(
    store: Store, tmp_path: Path
) -> None:
    (tmp_path / "a.fail").touch()
    (tmp_path / "b.die").touch()
    steps, log = plan(*pieces(tmp_path)), ProgressLog()
    with pytest.raises(StepsFailedError, match=r"2 of 4 steps failed: a \(no luck\); b \(ended by signal 9") as caught:
        run_steps(store, steps, log, executor=ExecutorConfig(1))
    ended = caught.value.result
    assert [step.status for step in ended.steps] == ["failed", "failed", "done", "skipped"]
    death = "ended by signal 9 (out of memory?)"
    assert [step.error for step in ended.steps] == ["no luck", death, None, "needs a"]
    assert {"a: failed: no luck", f"b: failed: {death}"} <= set(log.lines)
    assert suites(store) == [(ended.run_id, "FAILED")]
    group = caught.value.__cause__
    assert isinstance(group, ExceptionGroup)
    assert [type(error) for error in group.exceptions] == [DigitsError, DigitsError]
    assert "in piece" in "".join(group.exceptions[0].__notes__)
    for file in [*tmp_path.glob("*.fail"), *tmp_path.glob("*.die")]:
        file.unlink()
    with pytest.raises(KeyboardInterrupt):
        run_steps(store, steps, ProgressLog("d: started"), executor=ExecutorConfig(1))
    assert suites(store) == [(ended.run_id, "KILLED")]
    log = ProgressLog()
    done = run_steps(store, steps, log, executor=ExecutorConfig(1))
    assert log.lines[:4] == ["a: cached", "b: cached", "c: cached", "d: started"]
    assert (done.run_id, [step.status for step in done.steps]) == (ended.run_id, ["done"] * 4)
    assert [(step.result or {})["value"] for step in done.steps] == [1, 10, 100, 1101]
    assert times(tmp_path) == {"a": 2, "b": 2, "c": 1, "d": 1}
    assert suites(store) == [(done.run_id, "FINISHED")]


@pytest.mark.usefixtures("no_figures")
def test_seeds_trained_by_workers_do_as_well_as_those_trained_here(store: Store) -> None:
    settings = {"epochs": 2, "batch_size": 32, "precision": "float32"}
    options = TrainOptions("mlp_small", "uci", settings=settings, limit=500)
    apart = train_seeds(store, options, [0, 1], executor=ExecutorConfig(2))
    here = train_seeds(store, options, [0, 1])
    assert [one.seed for one in apart.seeds] == [0, 1]
    for one, other in zip(apart.seeds, here.seeds, strict=True):
        assert one.val_accuracy == pytest.approx(other.val_accuracy, abs=0.02)
        assert one.val_loss == pytest.approx(other.val_loss, rel=0.05)
        tags = store.client.get_run(one.run_id).data.tags
        assert tags["mlflow.parentRunId"] == apart.run_id
    assert apart.val_accuracy == pytest.approx(here.val_accuracy, abs=0.02)
    assert {one.version for one in apart.seeds} == {1, 2}
    assert store.client.get_run(apart.run_id).data.metrics["val_accuracy"] == apart.val_accuracy
