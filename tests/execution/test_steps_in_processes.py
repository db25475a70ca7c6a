"""Pieces of work under one run that workers in other processes do."""

import os
from functools import partial
from pathlib import Path

import pytest
from pieces_of_work import meet, piece
from small_plans import plan, states, step_of, value
from stand_ins import ProgressLog

from experiments.errors import DigitsError
from experiments.execution import ExecutorConfig, Step, StepsFailedError, run_steps
from experiments.tracking import Store
from experiments.workflows.train import TrainOptions, train_seeds


def pieces(folder: Path) -> list[Step]:
    """Return a, b, c, and d, which needs a and c."""
    requires = {"a": (), "b": (), "c": (), "d": ("a", "c")}
    work = {name: partial(piece, folder, name, 10**i) for i, name in enumerate(requires)}
    return [step_of(name, work[name], requires=needed) for name, needed in requires.items()]


def times(folder: Path) -> dict[str, int]:
    return {file.stem: len(file.read_text().splitlines()) for file in sorted(folder.glob("*.times"))}


def suites(store: Store) -> list[tuple[str, str]]:
    found = store.client.search_runs([store.experiment_id], "tags.`digits.kind` = 'suite'")
    return [(run.info.run_id, run.info.status) for run in found]


def test_steps_are_done_side_by_side(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # With TensorFlow each process would take seconds to import it, to limit its threads.
    (tmp_path / "jax.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    log = ProgressLog()
    steps = [step_of(name, partial(meet, tmp_path, name, other)) for name, other in (("a", "b"), ("b", "a"))]
    done = run_steps(store, plan(*steps), log, executor=ExecutorConfig(2))
    assert states(done.steps) == ["done", "done"]
    assert log.lines[:2] == ["a: started", "b: started"]
    assert log.advanced == [(1, 2), (2, 2)]
    assert len({os.getpid(), *((step.result or {})["process"] for step in done.steps)}) == 3
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
    assert states(ended.steps) == ["failed", "failed", "done", "skipped"]
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
    assert (done.run_id, states(done.steps)) == (ended.run_id, ["done"] * 4)
    assert [value(step) for step in done.steps] == [1, 10, 100, 1101]
    assert times(tmp_path) == {"a": 2, "b": 2, "c": 1, "d": 1}
    assert suites(store) == [(done.run_id, "FINISHED")]


@pytest.mark.slow
@pytest.mark.usefixtures("no_figures")
def test_a_seed_trained_by_a_worker_does_as_well_as_one_trained_here(store: Store) -> None:
    settings = {"epochs": 2, "batch_size": 32, "precision": "float32"}
    options = TrainOptions("mlp_small", "uci", settings=settings, limit=500)
    apart = train_seeds(store, options, [1], executor=ExecutorConfig(2))
    here = train_seeds(store, options, [1])
    (one,), (other,) = apart.seeds, here.seeds
    assert one.seed == 1
    assert one.val_accuracy == pytest.approx(other.val_accuracy, abs=0.02)
    assert one.val_loss == pytest.approx(other.val_loss, rel=0.05)
    assert store.client.get_run(one.run_id).data.tags["mlflow.parentRunId"] == apart.run_id
    assert store.client.get_run(apart.run_id).data.metrics["val_accuracy"] == apart.val_accuracy
