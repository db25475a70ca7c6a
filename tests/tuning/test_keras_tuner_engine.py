"""Whole searches by each of Keras Tuner's oracles, of a formula instead of trainings."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from experiments.errors import DigitsError, UsageError
from experiments.models import Recipe
from experiments.models.space import Choices, Floats, Integers, Space, Value
from experiments.processes import this_process
from experiments.tuning import Search, Trial, samplers_of
from experiments.tuning.keras_tuner_engine import KerasTunerEngine, keras_tuner_engine
from experiments.tuning.search import MAX_ATTEMPTS, TrialState

pytestmark = pytest.mark.filterwarnings(r"ignore:(currentThread|getName)\(\) is deprecated:DeprecationWarning")

RECIPE = Recipe(epochs=9, dropout=0.3, learning_rate=2e-3, network={"units_1": 224})
SPACE: Space = {
    "units_1": Integers(32, 512, 32),
    "dropout": Floats(0.0, 0.5, step=0.1),
    "learning_rate": Floats(1e-4, 1e-2, log=True),
    "batch_size": Choices((64, 128, 256)),
}
TOTAL = 11  # fewer than Bayesian optimisation draws at random before it fits its slow model
every_sampler = pytest.mark.parametrize("sampler", samplers_of("keras-tuner"))


def searching(sampler: str = "random", **changes: Any) -> Search:
    search = Search("s", "keras-tuner", "mlp", "uci", "0a1b", RECIPE, SPACE, sampler=sampler, pruner="none")
    return replace(search, **changes)


def opened(folder: Path, total: int = TOTAL, sampler: str = "random", **changes: Any) -> KerasTunerEngine:
    return KerasTunerEngine(searching(sampler, **changes), folder / "s", total)


def objective(params: Mapping[str, Value]) -> float:
    """Return a value that is highest for the published perceptron."""
    width = ((params.get("units_1", 224) - 224) / 480) ** 2
    rate = (math.log10(params.get("learning_rate", 2e-3) / 2e-3) / 2) ** 2
    return 1 - width - rate - (params.get("dropout", 0.3) - 0.3) ** 2


def claimed(engine: KerasTunerEngine, process: str = "") -> Trial:
    trial = engine.ask(process or this_process())
    assert trial is not None
    return trial


def end(engine: KerasTunerEngine, trial: Trial, state: TrialState = "complete") -> None:
    engine.tell(trial.number, state, objective(trial.params) if state == "complete" else None, 1.0)


def carry_out(engine: KerasTunerEngine) -> bool:
    """Do one trial; return whether there was one."""
    trial = engine.ask(this_process())
    if trial:
        end(engine, trial)
    return trial is not None


def carry_out_all(engine: KerasTunerEngine) -> Sequence[Trial]:
    """Do what remains, and no trial more than that."""
    for _ in range(engine.remaining()):
        if not carry_out(engine):
            break
    return engine.trials()


def listed(trials: Sequence[Trial]) -> list[Trial]:
    """Return trials whose curves are lists, as they are when they come from a file."""
    return [replace(trial, curve=list(trial.curve)) for trial in trials]


def tried(trials: Sequence[Trial]) -> list[Mapping[str, Value]]:
    return [trial.params for trial in trials]


@every_sampler
def test_a_search_ends_at_exactly_as_many_trials_as_were_asked_for(sampler: str, tmp_path: Path) -> None:
    engine = opened(tmp_path, sampler=sampler)
    assert engine.remaining() == engine.available() == TOTAL
    trials = carry_out_all(engine)
    assert [trial.number for trial in trials] == list(range(TOTAL))
    assert {trial.state for trial in trials} == {"complete"}
    assert engine.remaining() == engine.available() == 0
    assert engine.ask(this_process()) is None
    assert engine.remaining() == engine.available() == 0


@every_sampler
def test_what_is_tried_lies_in_the_space_and_makes_a_recipe(sampler: str, tmp_path: Path) -> None:
    for params in tried(carry_out_all(opened(tmp_path, sampler=sampler))):
        assert list(params) == list(SPACE)
        assert all(params[name] in values for name, values in SPACE.items())
        assert params.items() <= RECIPE.override(params).params().items()
        assert {name: type(value) for name, value in params.items()} == {
            "units_1": int,
            "dropout": float,
            "learning_rate": float,
            "batch_size": int,
        }


@pytest.mark.slow
def test_what_bayesian_optimisation_s_model_suggests_lies_in_the_space_too(tmp_path: Path) -> None:
    space: Space = {name: SPACE[name] for name in ("dropout", "learning_rate")}
    engine = opened(tmp_path, total=8, sampler="bayesian", space=space)
    for params in tried(carry_out_all(engine)):
        assert all(params[name] in values for name, values in space.items())
        assert all(type(value) is float for value in params.values())


@pytest.mark.parametrize("sampler", ["random", "bayesian"])
def test_every_value_of_a_range_with_steps_is_drawn_and_no_other(sampler: str, tmp_path: Path) -> None:
    space: Space = {
        "units_1": Integers(0, 512, 64),
        "batch_size": Choices((64, 128, 256)),
        "dropout": Floats(0.0, 0.6, step=0.2),
        "augmentation": Floats(0.0, 1.5, step=0.25),
        "learning_rate": SPACE["learning_rate"],
    }
    engine = opened(tmp_path, total=100, sampler=sampler, space=space)
    drawn = [engine.ask(f"elsewhere:{number}:0") for number in range(100)]
    values = {name: sorted({round(trial.params[name], 9) for trial in drawn if trial}) for name in space}
    assert values["units_1"] == [0, 64, 128, 192, 256, 320, 384, 448, 512]
    assert values["batch_size"] == [64, 128, 256]
    assert values["augmentation"] == [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5]
    assert len(values["learning_rate"]) == 100


@pytest.mark.parametrize(("high", "step"), [(0.5, 0.1), (0.6, 0.2), (0.3, 0.1)])
def test_both_ends_of_a_range_with_steps_are_drawn(high: float, step: float, tmp_path: Path) -> None:
    space: Space = {"dropout": Floats(0.0, high, step=step), "learning_rate": SPACE["learning_rate"]}
    engine = opened(tmp_path, total=100, space=space)
    drawn = {round(claimed(engine, f"elsewhere:{number}:0").params["dropout"], 9) for number in range(100)}
    assert sorted(drawn) == [round(step * i, 9) for i in range(round(high / step) + 1)]


@pytest.mark.parametrize("sampler", ["random", "hyperband"])
def test_a_search_that_goes_on_anew_after_each_trial_is_the_one_done_in_one_go(sampler: str, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    in_one_go = carry_out_all(opened(tmp_path / "one", sampler=sampler))
    for _ in range(TOTAL):
        assert carry_out(opened(tmp_path, sampler=sampler))
    trials = opened(tmp_path, sampler=sampler).trials()
    assert tried(trials) == tried(in_one_go)
    assert [(trial.until, trial.continues) for trial in trials] == [(t.until, t.continues) for t in in_one_go]


@every_sampler
def test_a_search_that_is_reloaded_goes_on_with_the_next_number_and_ends_at_the_total(
    sampler: str, tmp_path: Path
) -> None:
    engine = opened(tmp_path, sampler=sampler)
    for _ in range(4):
        carry_out(engine)
    engine = opened(tmp_path, sampler=sampler)
    assert [trial.number for trial in engine.trials()] == [0, 1, 2, 3]
    assert engine.remaining() == engine.available() == TOTAL - 4
    trials = carry_out_all(engine)
    assert [trial.number for trial in trials] == list(range(TOTAL))
    assert len({(*trial.params.items(), trial.until) for trial in trials}) == TOTAL
    assert opened(tmp_path, sampler=sampler).remaining() == 0


@every_sampler
def test_more_trials_continue_where_fewer_ended(sampler: str, tmp_path: Path) -> None:
    before = carry_out_all(opened(tmp_path, total=9, sampler=sampler))
    engine = opened(tmp_path, total=11, sampler=sampler)  # whose numbers have one digit more
    assert listed(engine.trials()) == listed(before)
    assert engine.remaining() == engine.available() == 2
    after = carry_out_all(engine)
    assert listed(after[:9]) == listed(before)
    assert [trial.number for trial in after] == list(range(11))


@every_sampler
def test_another_seed_is_another_search(sampler: str, tmp_path: Path) -> None:
    one, another = (
        tried(carry_out_all(opened(tmp_path / str(seed), sampler=sampler, recipe=replace(RECIPE, seed=seed))))
        for seed in (0, 1)
    )
    assert not any(params in another for params in one)


@every_sampler
def test_workers_that_claim_at_the_same_time_do_not_try_the_same(sampler: str, tmp_path: Path) -> None:
    engine = opened(tmp_path, total=4, sampler=sampler)
    trials = [claimed(engine, f"elsewhere:{number}:0") for number in range(4)]
    assert len({trial.params["learning_rate"] for trial in trials}) == 4
    assert [trial.number for trial in trials] == [0, 1, 2, 3]
    assert (engine.remaining(), engine.available()) == (4, 0)
    assert engine.ask(this_process()) is None
    for trial in reversed(trials):
        end(engine, trial)
    assert engine.remaining() == 0


@every_sampler
def test_failed_trials_are_made_up_for(sampler: str, tmp_path: Path) -> None:
    engine = opened(tmp_path, total=6, sampler=sampler)
    for step in range(9):
        end(engine, claimed(engine), "failed" if step % 3 == 1 else "complete")
        assert engine.remaining() == engine.available() == 6 - sum(s % 3 != 1 for s in range(step + 1))
    assert engine.ask(this_process()) is None
    states = [trial.state for trial in opened(tmp_path, total=6, sampler=sampler).trials()]
    assert states == ["complete", "failed", "complete"] * 3
    assert opened(tmp_path, total=6, sampler=sampler).remaining() == 0


@every_sampler
def test_pruned_trials_count(sampler: str, tmp_path: Path) -> None:
    """Those that diverged, that is: an oracle prunes none."""
    engine = opened(tmp_path, total=4, sampler=sampler)
    states: Sequence[TrialState] = ("complete", "pruned", "complete", "pruned")
    for done, state in enumerate(states, start=1):
        end(engine, claimed(engine), state)
        assert engine.remaining() == engine.available() == 4 - done
    assert opened(tmp_path, total=4, sampler=sampler).remaining() == 0


@every_sampler
def test_a_trial_that_ended_is_not_tried_again_after_a_reload(sampler: str, tmp_path: Path) -> None:
    carry_out(opened(tmp_path, sampler=sampler))
    assert claimed(opened(tmp_path, sampler=sampler)).number == 1


def test_a_space_of_which_all_was_tried_ends_the_search(tmp_path: Path) -> None:
    space: Space = {"batch_size": Choices((64, 128)), "units_1": Choices((32, 64))}
    engine = opened(tmp_path, total=100, space=space)
    trials = carry_out_all(engine)
    assert len({tuple(params.items()) for params in tried(trials)}) == len(trials) == 4
    assert engine.remaining() == engine.available() == 0


def test_what_is_noted_of_a_trial_is_read_again(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    engine.set_parent_run("run")
    trial = claimed(engine)
    engine.set_run(trial.number, "r0")
    assert not engine.report(trial.number, 1, 0.25)
    assert not engine.report(trial.number, 2, 0.75)
    engine.tell(trial.number, "complete", 0.75, 12.5)
    failed = claimed(engine)
    engine.tell(failed.number, "failed", None, 2.5, "OSError: no")
    other = opened(tmp_path)
    assert other.parent_run() == "run"
    expected = [
        replace(trial, state="complete", value=0.75, seconds=12.5, run_id="r0", curve=[0.25, 0.75]),
        replace(failed, state="failed", seconds=2.5, error="OSError: no", curve=[]),
    ]
    assert listed(other.trials()) == listed(engine.trials()) == expected


def test_an_epoch_that_is_trained_again_is_noted_once(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    trial = claimed(engine)
    for epoch, value in [(1, 0.1), (2, 0.2), (3, 0.3), (2, 0.25), (3, 0.35)]:
        engine.report(trial.number, epoch, value)
    assert engine.trials()[0].curve == [0.1, 0.25, 0.35]


def test_a_trial_that_is_requeued_is_tried_again_until_that_has_happened_often(tmp_path: Path) -> None:
    engine = opened(tmp_path, total=2)
    first = claimed(engine)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        engine.requeue(first.number, f"gone {attempt}")
        (trial,) = engine.trials()
        assert (trial.state, trial.error, trial.again) == ("failed", f"gone {attempt}", attempt < MAX_ATTEMPTS)
        assert engine.remaining() == engine.available() == 2
        if attempt < MAX_ATTEMPTS:
            again = claimed(engine)
            assert (again.number, again.params, again.state) == (first.number, first.params, "running")
    trials = carry_out_all(engine)
    assert [(trial.number, trial.state) for trial in trials] == [(0, "failed"), (1, "complete"), (2, "complete")]
    assert first.params not in tried(trials[1:])


@pytest.mark.parametrize("sampler", ["random", "hyperband"])
def test_the_last_trial_is_tried_again_though_a_worker_has_found_nothing_more_to_do(
    sampler: str, tmp_path: Path
) -> None:
    engine = opened(tmp_path, total=2, sampler=sampler)
    one, another = claimed(engine, "elsewhere:1:0"), claimed(engine, "elsewhere:2:0")
    end(engine, one)
    assert engine.ask("elsewhere:1:0") is None
    engine.requeue(another.number, "gone")
    assert (engine.remaining(), engine.available()) == (1, 1)
    assert claimed(engine).number == another.number


def test_the_last_trial_that_fails_is_made_up_for_though_a_worker_has_found_nothing_more_to_do(tmp_path: Path) -> None:
    engine = opened(tmp_path, total=2)
    one, another = claimed(engine, "elsewhere:1:0"), claimed(engine, "elsewhere:2:0")
    end(engine, one)
    assert engine.ask("elsewhere:1:0") is None
    end(engine, another, "failed")
    assert (engine.remaining(), engine.available()) == (1, 1)


@every_sampler
def test_what_an_earlier_process_left_running_is_stale_and_tried_again(sampler: str, tmp_path: Path) -> None:
    engine = opened(tmp_path, total=3, sampler=sampler)
    end(engine, claimed(engine))
    left = claimed(engine)
    engine.set_run(left.number, "r1")
    assert engine.abandoned() == []
    engine = opened(tmp_path, total=3, sampler=sampler)
    assert listed(engine.abandoned()) == listed([replace(left, run_id="r1")])
    assert [trial.number for trial in engine.trials()] == [0]
    engine.requeue(left.number, "gone")
    assert engine.abandoned() == []
    assert engine.remaining() == engine.available() == 2
    again = claimed(engine)
    assert (again.number, again.params) == (left.number, left.params)
    end(engine, again)
    assert [(trial.number, trial.state) for trial in carry_out_all(engine)] == [(n, "complete") for n in range(3)]


def test_a_running_trial_of_a_dead_process_of_this_machine_is_stale(tmp_path: Path) -> None:
    engine = opened(tmp_path, total=3)
    host, pid, started = this_process().rsplit(":", 2)
    alive, dead = claimed(engine), claimed(engine, f"{host}:{pid}:{int(started) - 1000}")
    assert list(engine.abandoned()) == [dead]
    engine.requeue(dead.number, "gone")
    assert engine.abandoned() == []
    assert [trial.state for trial in engine.trials() if trial.number == alive.number] == ["running"]


def test_hyperband_trains_many_a_little_and_continues_the_best(tmp_path: Path) -> None:
    trials = carry_out_all(opened(tmp_path, total=30, sampler="hyperband"))
    by_number = {trial.number: trial for trial in trials}
    assert {trial.until for trial in trials} == {1, 3, 9}
    assert trials[0].until == 1
    continuing = [trial for trial in trials if trial.continues is not None]
    assert {trial.until for trial in continuing} == {3, 9}
    for trial in continuing:
        assert trial.continues is not None
        earlier = by_number[trial.continues]
        assert earlier.number < trial.number
        assert (earlier.state, earlier.params) == ("complete", trial.params)
        assert earlier.until is not None
        assert earlier.until * 3 == trial.until
    assert len({trial.continues for trial in continuing}) == len(continuing)
    first_round = [trial for trial in trials[: continuing[0].number] if trial.until == 1]
    best = max(first_round, key=lambda trial: trial.value or 0.0)
    assert continuing[0].continues == best.number


@pytest.mark.parametrize("epochs", [1, 2, 3, 20])
def test_hyperband_never_trains_for_longer_than_the_recipe_says(epochs: int, tmp_path: Path) -> None:
    trials = carry_out_all(opened(tmp_path, total=30, sampler="hyperband", recipe=replace(RECIPE, epochs=epochs)))
    assert max(trial.until or 0 for trial in trials) == epochs
    assert min(trial.until or 0 for trial in trials) >= 1


def test_the_others_train_as_long_as_the_recipe_says(tmp_path: Path) -> None:
    assert all(trial.until is trial.continues is None for trial in carry_out_all(opened(tmp_path)))


def test_a_continued_training_that_was_cut_off_still_knows_what_it_continues(tmp_path: Path) -> None:
    engine = opened(tmp_path, total=30, sampler="hyperband")
    while (trial := claimed(engine)).continues is None:
        end(engine, trial)
    engine = opened(tmp_path, total=30, sampler="hyperband")
    assert [stale.number for stale in engine.abandoned()] == [trial.number]
    engine.requeue(trial.number, "gone")
    assert claimed(engine) == trial


@pytest.mark.parametrize("text", ["", "{", "\0\0", '"text"', "null", "17", "[1]", "{'search': {}}"])
def test_a_damaged_record_is_refused_by_name(text: str, tmp_path: Path) -> None:
    opened(tmp_path)
    (tmp_path / "s" / "digits.json").write_text(text)
    with pytest.raises(DigitsError) as caught:
        opened(tmp_path)
    assert str(caught.value) == (
        f"the record of the search in {tmp_path}/s is damaged; move it away, or use another name with --study NAME"
    )


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("digits.json", '{"search": 3}'),
        ("digits.json", '{"trials": [{"number": 0}]}'),
        ("oracle/oracle.json", "{"),
        ("oracle/oracle.json", "{}"),
        ("oracle/trial_00/trial.json", ""),
    ],
)
def test_damaged_files_are_refused(file: str, text: str, tmp_path: Path) -> None:
    carry_out(opened(tmp_path))
    assert (tmp_path / "s" / file).exists()
    (tmp_path / "s" / file).write_text(text)
    with pytest.raises(DigitsError, match="is damaged; move it away"):
        opened(tmp_path)


def test_a_record_is_replaced_and_never_half_written(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    for _ in range(3):
        carry_out(engine)
        json.loads((tmp_path / "s" / "digits.json").read_text())
    assert not list((tmp_path / "s").glob("*.new"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dataset": "mnist"}, "its dataset was uci, now it is mnist"),
        ({"sampler": "hyperband"}, "its sampler was random, now it is hyperband"),
        ({"recipe": replace(RECIPE, epochs=3)}, "its setting epochs was 9, now it is 3"),
        ({"space": {**SPACE, "batch_size": Choices((64, 128))}}, "its range of batch_size was "),
    ],
)
def test_a_study_that_was_another_search_is_refused_and_left_alone(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    trials = carry_out_all(opened(tmp_path, total=2))
    before = (tmp_path / "s" / "digits.json").read_text()
    with pytest.raises(UsageError, match=f"study 's' exists and is another search: {message}"):
        KerasTunerEngine(replace(searching(), **changes), tmp_path / "s", 2)
    assert (tmp_path / "s" / "digits.json").read_text() == before
    assert listed(opened(tmp_path, total=2).trials()) == listed(trials)


@pytest.mark.slow
def test_the_engine_lives_in_a_process_that_others_ask(tmp_path: Path) -> None:
    asked: list[str] = []

    def make_run() -> str:
        asked.append("asked")
        return f"run {len(asked)}"

    with keras_tuner_engine(searching(), tmp_path / "s", 2, make_run) as engine:
        assert engine.parent_run() == "run 1"
        assert engine.remaining() == 2
        trials = carry_out_all(engine)
        assert [(trial.number, trial.state) for trial in trials] == [(0, "complete"), (1, "complete")]
        held = pytest.raises(DigitsError, match="another process is already searching s; wait for it or stop it")
        with held, keras_tuner_engine(searching(), tmp_path / "s", 2, make_run):
            pass
    assert asked == ["asked"]
    left = opened(tmp_path, total=2)
    assert (left.parent_run(), left.remaining()) == ("run 1", 0)
    assert tried(left.trials()) == tried(trials) == tried(carry_out_all(opened(tmp_path / "same", total=2)))


@pytest.mark.slow
@pytest.mark.parametrize(("text", "kind"), [('{"search": {"engine": "optuna"}}', UsageError), ("{", DigitsError)])
def test_what_the_engine_s_process_refuses_is_refused_here(text: str, kind: type[Exception], tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "digits.json").write_text(text)
    with pytest.raises(kind), keras_tuner_engine(searching(), tmp_path / "s", 2, lambda: "run"):
        pass
