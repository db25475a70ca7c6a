"""What is peculiar to Keras Tuner's oracles, their record and their process; see also test_every_engine.py."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from searches import RECIPE, SPACE, claim, counts, end, make_search, params_of, run_all

from experiments.errors import DigitsError, UsageError
from experiments.models.space import Choices, Space
from experiments.processes import this_process
from experiments.tuning import Search, Trial
from experiments.tuning.keras_tuner_engine import KerasTunerEngine, keras_tuner_engine


def searching(sampler: str = "random", **changes: Any) -> Search:
    return make_search(sampler, engine="keras-tuner", **changes)


def opened(folder: Path, total: int = 11, sampler: str = "random", **changes: Any) -> KerasTunerEngine:
    return KerasTunerEngine(searching(sampler, **changes), folder / "s", total)


@pytest.mark.slow
def test_what_the_gaussian_process_suggests_lies_in_the_space(tmp_path: Path) -> None:
    space: Space = {name: SPACE[name] for name in ("dropout", "learning_rate")}
    for params in params_of(run_all(opened(tmp_path, total=8, sampler="bayesian", space=space))):
        assert all(params[name] in values and type(params[name]) is float for name, values in space.items())


def test_a_space_of_which_all_was_tried_ends_the_search(tmp_path: Path) -> None:
    space: Space = {"batch_size": Choices((64, 128)), "units_1": Choices((32, 64))}
    engine = opened(tmp_path, total=100, space=space)
    trials = run_all(engine)
    assert len({tuple(params.items()) for params in params_of(trials)}) == len(trials) == 4
    assert counts(engine) == (0, 0)


def test_an_epoch_that_is_trained_again_is_recorded_once(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    trial = claim(engine)
    for epoch, value in [(1, 0.1), (2, 0.2), (3, 0.3), (2, 0.25), (3, 0.35)]:
        engine.report(trial.number, epoch, value)
    assert engine.trials()[0].curve == [0.1, 0.25, 0.35]


def test_a_running_trial_of_a_dead_process_of_this_machine_is_abandoned(tmp_path: Path) -> None:
    engine = opened(tmp_path, total=3)
    host, pid, started = this_process().rsplit(":", 2)
    alive, dead = claim(engine), claim(engine, f"{host}:{pid}:{int(started) - 1000}")
    assert engine.abandoned() == [dead]
    engine.requeue(dead.number, "gone")
    assert engine.abandoned() == []
    assert [trial.state for trial in engine.trials() if trial.number == alive.number] == ["running"]


def test_hyperband_trains_many_a_little_and_continues_the_best(tmp_path: Path) -> None:
    trials = run_all(opened(tmp_path, total=30, sampler="hyperband"))
    assert {trial.until for trial in trials} == {1, 3, 9}
    assert trials[0].until == 1
    continuing = [(trial, trials[trial.continues]) for trial in trials if trial.continues is not None]
    assert {trial.until for trial, _ in continuing} == {3, 9}
    for trial, earlier in continuing:
        assert earlier.number < trial.number
        assert (earlier.state, earlier.params) == ("complete", trial.params)
        assert (earlier.until or 0) * 3 == trial.until
    assert len({earlier.number for _, earlier in continuing}) == len(continuing)
    trial, earlier = continuing[0]
    first_round = [one for one in trials[: trial.number] if one.until == 1]
    assert earlier == max(first_round, key=lambda one: one.value or 0.0)


@pytest.mark.parametrize("epochs", [1, 2, 20])
def test_hyperband_trains_for_as_many_epochs_as_the_recipe_says_at_most(epochs: int, tmp_path: Path) -> None:
    trials = run_all(opened(tmp_path, total=30, sampler="hyperband", recipe=replace(RECIPE, epochs=epochs)))
    assert max(trial.until or 0 for trial in trials) == epochs
    assert min(trial.until or 0 for trial in trials) >= 1
    others = run_all(opened(tmp_path / "random", total=4))
    assert all(trial.until is trial.continues is None for trial in others)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        *(("digits.json", text) for text in ("", "{", "\0\0", '"text"', "null", "17", "[1]", '{"search": 3}')),
        ("digits.json", '{"trials": [{"number": 0}]}'),
        ("oracle/oracle.json", "{"),
        ("oracle/oracle.json", "{}"),
        ("oracle/trial_00/trial.json", ""),
    ],
)
def test_a_damaged_record_is_refused_by_its_folder(file: str, text: str, tmp_path: Path) -> None:
    engine = opened(tmp_path)
    end(engine, claim(engine))
    assert (tmp_path / "s" / file).exists()
    (tmp_path / "s" / file).write_text(text)
    with pytest.raises(DigitsError, match=f"{tmp_path}/s .*--study NAME"):
        opened(tmp_path)


def test_the_record_is_replaced_and_never_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = opened(tmp_path)
    end(engine, claim(engine))
    before = (tmp_path / "s" / "digits.json").read_text()

    def disk_full(file: Path, text: str) -> None:
        file.write_bytes(text[:20].encode())
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_text", disk_full)
    with pytest.raises(OSError, match="disk full"):
        engine.set_parent_run("run")
    monkeypatch.undo()
    assert (tmp_path / "s" / "digits.json").read_text() == before
    assert len(opened(tmp_path).trials()) == 1
    assert not list((tmp_path / "s").glob("*.new"))


@pytest.mark.slow
def test_the_oracle_runs_in_a_process_of_its_own_one_for_each_search(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with keras_tuner_engine(searching(), tmp_path / "s", 2, lambda: "run 1") as engine:
        engine.requeue(claim(engine).number, "gone")  # which Keras Tuner would print
        assert capfd.readouterr().out == ""
        trials: Sequence[Trial] = run_all(engine)
        assert [(trial.number, trial.state) for trial in trials] == [(0, "complete"), (1, "complete")]
        held = pytest.raises(DigitsError, match="already searching s;")
        with held, keras_tuner_engine(searching(), tmp_path / "s", 2, lambda: "run 2"):
            pass
    left = opened(tmp_path, total=2)
    assert (left.parent_run(), left.remaining()) == ("run 1", 0)
    assert params_of(left.trials()) == params_of(trials) == params_of(run_all(opened(tmp_path / "same", total=2)))
    refused = pytest.raises(UsageError, match="its dataset was uci")
    with refused, keras_tuner_engine(searching(dataset="mnist"), tmp_path / "s", 2, lambda: "run 3"):
        pass
