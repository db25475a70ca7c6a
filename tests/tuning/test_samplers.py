"""Whole searches by each of Optuna's samplers, of a formula instead of trainings."""

import itertools
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.models import MODELS, Recipe
from experiments.models.space import Choices, Floats, Integers, Range, Space, Value
from experiments.processes import this_process
from experiments.tuning import PRUNERS, SAMPLERS, Search, Trial, finished_trials, samplers_of
from experiments.tuning.optuna_engine import OptunaEngine, distribution, make_sampler, open_study, own_values
from experiments.tuning.samplers.grid import grid
from experiments.tuning.samplers.sampler import STARTUP_TRIALS
from experiments.tuning.search import TrialState

RECIPE = Recipe(epochs=9, dropout=0.3, learning_rate=2e-3, network={"units_1": 224})
SPACE: Space = {
    "units_1": Integers(32, 512, 32),
    "dropout": Floats(0.0, 0.5, step=0.1),
    "learning_rate": Floats(1e-4, 1e-2, log=True),
    "batch_size": Choices((64, 128, 256)),
}
SMALL: Space = {"dropout": Floats(0.0, 0.5, step=0.1), "batch_size": Choices((64, 128))}
TOTAL = STARTUP_TRIALS + 4  # so that all samplers have left their random start
pytestmark = pytest.mark.filterwarnings("ignore:QMCSampler is experimental")
every_sampler = pytest.mark.parametrize("sampler", samplers_of("optuna"))
every_other_sampler = pytest.mark.parametrize("sampler", [name for name in samplers_of("optuna") if name != "grid"])


def searching(sampler: str = "random", **changes: Any) -> Search:
    search = Search("s", "optuna", "mlp", "uci", "0a1b", RECIPE, SPACE, sampler=sampler, pruner="none")
    return replace(search, **changes)


def opened(search: Search, folder: Path, total: int = TOTAL) -> OptunaEngine:
    return open_study(search, str(folder / "study.journal"), total, lambda: "run")


def objective(params: Mapping[str, Value]) -> float:
    """Return a value that is highest for the published perceptron."""
    width = ((params.get("units_1", 224) - 224) / 480) ** 2
    rate = (math.log10(params.get("learning_rate", 2e-3) / 2e-3) / 2) ** 2
    return 1 - width - rate - (params.get("dropout", 0.3) - 0.3) ** 2


def carry_out(engine: OptunaEngine) -> bool:
    """Do one trial; return whether there was one."""
    trial = engine.ask(this_process())
    if trial:
        engine.tell(trial.number, "complete", objective(trial.params), 1.0)
    return trial is not None


def carry_out_all(engine: OptunaEngine) -> Sequence[Trial]:
    while carry_out(engine):
        pass
    return engine.trials()


def tried(trials: Sequence[Trial]) -> list[Mapping[str, Value]]:
    return [trial.params for trial in trials]


@every_sampler
def test_a_search_ends_at_exactly_as_many_trials_as_were_asked_for(sampler: str, tmp_path: Path) -> None:
    engine = opened(searching(sampler), tmp_path)
    assert engine.remaining() == engine.available() == TOTAL
    trials = carry_out_all(engine)
    assert [trial.number for trial in trials] == list(range(TOTAL))
    assert {trial.state for trial in trials} == {"complete"}
    assert engine.remaining() == engine.available() == 0
    assert not carry_out(engine)


def test_a_sampler_is_added_by_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SAMPLERS, "toy", replace(SAMPLERS["random"], name="toy"))
    assert "toy" in samplers_of("optuna")
    assert "toy" in samplers_of("keras-tuner")
    trials = carry_out_all(opened(searching("toy"), tmp_path))
    assert tried(trials) == tried(carry_out_all(opened(searching("random", name="same"), tmp_path)))


@every_sampler
def test_what_is_tried_lies_in_the_space_and_makes_a_recipe(sampler: str, tmp_path: Path) -> None:
    for params in tried(carry_out_all(opened(searching(sampler), tmp_path))):
        assert list(params) == list(SPACE)
        assert all(params[name] in values for name, values in SPACE.items())
        assert params.items() <= RECIPE.override(params).params().items()
        assert {name: type(value) for name, value in params.items()} == {
            "units_1": int,
            "dropout": float,
            "learning_rate": float,
            "batch_size": int,
        }


@every_sampler
def test_a_search_that_goes_on_anew_after_each_trial_is_the_one_done_in_one_go(sampler: str, tmp_path: Path) -> None:
    search = searching(sampler)
    (tmp_path / "one").mkdir()
    in_one_go = tried(carry_out_all(opened(search, tmp_path / "one")))
    while carry_out(opened(search, tmp_path)):
        pass
    assert tried(opened(search, tmp_path).trials()) == in_one_go


@every_sampler
def test_another_seed_is_another_search(sampler: str, tmp_path: Path) -> None:
    one, another = (
        tried(carry_out_all(opened(searching(sampler, name=str(seed), recipe=replace(RECIPE, seed=seed)), tmp_path)))
        for seed in (0, 1)
    )
    assert one[1:] != another[1:]
    assert not any(params in another for params in one[1:] if sampler != "grid")


@every_sampler
def test_workers_that_claim_at_the_same_time_do_not_try_the_same(sampler: str, tmp_path: Path) -> None:
    search = searching(sampler)
    trials = [opened(search, tmp_path, total=6).ask(this_process()) for _ in range(6)]
    points = [tuple(trial.params.items()) for trial in trials if trial]
    assert len(set(points)) == 6
    if sampler != "grid":
        assert len({dict(point)["learning_rate"] for point in points}) == 6


@every_other_sampler
def test_the_network_s_own_values_are_tried_first(sampler: str, tmp_path: Path) -> None:
    first = opened(searching(sampler), tmp_path).ask(this_process())
    assert first is not None
    assert first.params == {"units_1": 224, "dropout": 0.3, "learning_rate": 2e-3, "batch_size": 128}


@every_other_sampler
def test_where_the_own_values_are_not_wanted_first_the_sampler_begins(sampler: str, tmp_path: Path) -> None:
    trials = carry_out_all(opened(searching(sampler, own_first=False), tmp_path))
    assert trials[0].params["learning_rate"] != RECIPE.learning_rate
    assert all(params[name] in values for params in tried(trials) for name, values in SPACE.items())
    assert len(trials) == TOTAL


@pytest.mark.parametrize("name", MODELS)
def test_a_network_s_own_values_are_those_of_its_recipe_that_lie_in_the_space(name: str) -> None:
    network = MODELS[name]
    own = own_values(searching(recipe=network.recipe, space=network.space))
    assert network.recipe.override(own) == network.recipe
    assert {setting for setting in network.space if setting not in own} <= {"weight_decay"}


@every_other_sampler
def test_what_the_space_does_not_have_is_left_to_the_sampler_in_the_first_trial_too(
    sampler: str, tmp_path: Path
) -> None:
    space: Space = {**SPACE, "units_1": Integers(33, 513, 32)}
    engine = opened(searching(sampler, space=space), tmp_path)
    assert own_values(engine.search).keys() == SPACE.keys() - {"units_1"}
    first = carry_out_all(engine)[0].params
    assert first["units_1"] in space["units_1"]
    assert first["dropout"] == 0.3


@every_sampler
def test_more_trials_continue_where_fewer_ended(sampler: str, tmp_path: Path) -> None:
    search = searching(sampler)
    before = tried(carry_out_all(opened(search, tmp_path, total=5)))
    assert len(before) == 5
    engine = opened(search, tmp_path)
    assert engine.remaining() == TOTAL - 5
    after = tried(carry_out_all(engine))
    assert after[:5] == before
    assert len(after) == TOTAL
    assert len({tuple(params.items()) for params in after}) == TOTAL


@every_sampler
def test_fewer_trials_than_there_are_ask_for_nothing(sampler: str, tmp_path: Path) -> None:
    carry_out_all(opened(searching(sampler), tmp_path, total=5))
    engine = opened(searching(sampler), tmp_path, total=3)
    assert engine.remaining() == engine.available() == 0
    assert engine.ask(this_process()) is None


@every_sampler
def test_pruned_trials_count_and_failed_ones_are_made_up_for(sampler: str, tmp_path: Path) -> None:
    engine = opened(searching(sampler), tmp_path)
    for step in itertools.count():
        trial = engine.ask(this_process())
        if trial is None:
            break
        engine.report(trial.number, 1, 0.5)
        if step % 4 == 1:
            engine.tell(trial.number, "pruned", None, 1.0)
        elif step % 4 == 3:
            engine.tell(trial.number, "failed", None, 1.0, "ValueError: no")
        else:
            engine.tell(trial.number, "complete", 0.5, 1.0)
    states = [trial.state for trial in engine.trials()]
    assert len(finished_trials(engine.trials())) == TOTAL
    assert states.count("failed") == len(states) // 4 == (TOTAL - 1) // 3
    assert engine.remaining() == 0


@pytest.mark.parametrize("sampler", ["tpe", "cmaes", "qmc"])
def test_a_space_of_one_range_can_be_searched(sampler: str, tmp_path: Path) -> None:
    space: Space = {"learning_rate": SPACE["learning_rate"]}
    trials = carry_out_all(opened(searching(sampler, space=space), tmp_path))
    assert len({trial.params["learning_rate"] for trial in trials}) == TOTAL


@pytest.mark.parametrize("sampler", ["tpe", "cmaes"])
def test_samplers_that_learn_come_closer_than_their_random_start(sampler: str, tmp_path: Path) -> None:
    space: Space = {name: SPACE[name] for name in ("units_1", "learning_rate")}
    recipe = replace(RECIPE, learning_rate=1e-4, network={"units_1": 512})
    trials = carry_out_all(opened(searching(sampler, space=space, recipe=recipe), tmp_path, total=36))
    values = [trial.value or 0.0 for trial in trials]
    assert max(values[STARTUP_TRIALS:]) > max(values[:STARTUP_TRIALS])
    assert sum(values[-12:]) / 12 > sum(values[:STARTUP_TRIALS]) / STARTUP_TRIALS


@pytest.mark.parametrize("sampler", samplers_of("optuna"))
def test_making_a_sampler_warns_of_nothing(sampler: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_sampler(searching(sampler), 0)


SMALL_GRID = [{"dropout": dropout, "batch_size": size} for dropout in (0.0, 0.2, 0.3, 0.5) for size in (64, 128)]


def as_points(trials: Sequence[Mapping[str, Value]]) -> list[tuple[tuple[str, Value], ...]]:
    return sorted(tuple(sorted(params.items())) for params in trials)


@pytest.mark.parametrize("total", [8, 9, 100])
def test_a_grid_tries_each_point_once_and_ends(total: int, tmp_path: Path) -> None:
    search = searching("grid", space=SMALL)
    engine = opened(search, tmp_path, total)
    assert engine.remaining() == engine.available() == len(SMALL_GRID)
    trials = carry_out_all(engine)
    assert as_points(tried(trials)) == as_points(grid(search.space, search.seed)) == as_points(SMALL_GRID)
    assert opened(search, tmp_path, total + 1).remaining() == 0


@pytest.mark.parametrize("failing", [{0}, {7}, {0, 1, 2}, set(range(8))])
def test_a_grid_s_point_that_fails_is_not_tried_again(failing: set[int], tmp_path: Path) -> None:
    search = searching("grid", space=SMALL)
    engine = opened(search, tmp_path, 100)
    for step in itertools.count():
        trial = engine.ask(this_process())
        if trial is None:
            break
        state: TrialState = "failed" if step in failing else "complete"
        engine.tell(trial.number, state, None if step in failing else 0.5, 1.0)
    assert as_points(tried(engine.trials())) == as_points(SMALL_GRID)
    assert engine.remaining() == engine.available() == 0
    assert opened(search, tmp_path, 200).available() == 0


def test_where_fewer_points_than_the_grid_has_are_asked_for_others_make_up_for_those_that_fail(tmp_path: Path) -> None:
    engine = opened(searching("grid", space=SMALL), tmp_path, 3)
    states: Sequence[TrialState] = ("failed", "complete", "failed", "complete", "complete")
    for state in states:
        trial = engine.ask(this_process())
        assert trial is not None
        engine.tell(trial.number, state, 0.5 if state == "complete" else None, 1.0)
    assert engine.remaining() == 0
    assert len(set(as_points(tried(engine.trials())))) == 5


def test_a_grid_s_point_that_is_cut_off_is_tried_again_and_no_other_twice(tmp_path: Path) -> None:
    search = searching("grid", space=SMALL)
    engine = opened(search, tmp_path, 100)
    cut_off = engine.ask(this_process())
    assert cut_off is not None
    engine.requeue(cut_off.number, "gone")
    assert engine.remaining() == len(SMALL_GRID)
    trials = carry_out_all(engine)
    assert as_points(tried(finished_trials(trials))) == as_points(SMALL_GRID)
    assert len(trials) == len(SMALL_GRID) + 1


@given(st.integers(0, 2**31 - 1))
def test_the_order_of_a_grid_is_drawn_and_its_points_are_not(seed: int) -> None:
    assert as_points(grid(SMALL, seed)) == as_points(SMALL_GRID)
    assert grid(SMALL, seed) == grid(SMALL, seed)


def trained(engine: OptunaEngine, curve: Sequence[float]) -> int:
    """Do one trial whose value follows a curve until it is pruned; return for how many epochs."""
    trial = engine.ask(this_process())
    assert trial is not None
    for epoch, value in enumerate(curve, start=1):
        if engine.report(trial.number, epoch, value):
            engine.tell(trial.number, "pruned", None, 1.0)
            return epoch
    engine.tell(trial.number, "complete", max(curve), 1.0)
    return len(curve)


GOOD, BAD = [0.9 + epoch / 1000 for epoch in range(9)], [0.1] * 9


def lengths(pruner: str, folder: Path, bad: int = 6) -> list[int]:
    """Return for how many epochs each trial was trained: eight good ones, then bad ones, then a very good one."""
    engine = opened(searching(pruner=pruner), folder, total=8 + bad + 1)
    curves = [GOOD] * 8 + [BAD] * bad + [[value + 0.05 for value in GOOD]]
    return [trained(engine, curve) for curve in curves]


def test_without_a_pruner_none_is_pruned(tmp_path: Path) -> None:
    assert set(lengths("none", tmp_path)) == {9}


def test_by_the_median_a_bad_trial_is_pruned_after_its_first_epoch(tmp_path: Path) -> None:
    assert lengths("median", tmp_path) == [9] * 8 + [1] * 6 + [9]


def test_the_median_judges_nobody_before_there_are_some_to_compare_with(tmp_path: Path) -> None:
    engine = opened(searching(pruner="median"), tmp_path)
    assert [trained(engine, curve) for curve in (GOOD, GOOD, BAD, BAD, BAD)] == [9, 9, 9, 9, 1]


def test_by_hyperband_bad_trials_are_pruned_and_the_best_is_not(tmp_path: Path) -> None:
    trained_for = lengths("hyperband", tmp_path, bad=12)
    assert min(trained_for[8:-1]) < 9
    assert set(trained_for[8:-1]) <= {1, 3, 9}  # after these it looks
    assert trained_for[-1] == 9


@pytest.mark.parametrize("pruner", PRUNERS)
def test_the_last_epoch_is_not_pruned(pruner: str, tmp_path: Path) -> None:
    engine = opened(searching(pruner=pruner, recipe=replace(RECIPE, epochs=1)), tmp_path)
    assert [trained(engine, curve[:1]) for curve in [GOOD] * 6 + [BAD] * 6] == [1] * 12
    assert {trial.state for trial in engine.trials()} == {"complete"}


@pytest.mark.parametrize("pruner", ["median", "hyperband"])
def test_an_engine_made_anew_prunes_the_same(pruner: str, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    in_one_go = lengths(pruner, tmp_path / "one", bad=9)
    search = searching(pruner=pruner)
    curves = [GOOD] * 8 + [BAD] * 9
    assert [trained(opened(search, tmp_path, 18), curve) for curve in curves] == in_one_go[:-1]


@given(st.integers(-500, 500), st.integers(1, 64), st.integers(0, 40))
def test_optuna_knows_the_same_whole_numbers(low: int, step: int, steps: int) -> None:
    values = Integers(low, low + steps * step, step)
    known = distribution(values)
    numbers = range(known.low, known.high + 1, known.step)
    assert list(numbers) == [n for n in range(low - step, values.high + step + 1) if n in values]
    assert known.single() == (steps == 0)


@given(st.integers(-200, 200), st.integers(1, 100), st.integers(1, 40))
def test_optuna_knows_the_same_stepped_numbers(low: int, step: int, steps: int) -> None:
    values = Floats(low / 100, (low + steps * step) / 100, step=step / 100)
    known = distribution(values)
    assert (known.low, known.high, known.step, known.log) == (values.low, values.high, values.step, False)
    hundredths = [known.to_external_repr((low + i * step) / 100) for i in range(steps + 1)]
    assert all(number in values for number in hundredths)


@pytest.mark.parametrize("values", [Floats(-1, 2), Floats(1e-6, 1e-2, log=True)])
def test_optuna_knows_the_same_real_numbers(values: Floats) -> None:
    known = distribution(values)
    assert (known.low, known.high, known.step, known.log) == (values.low, values.high, None, values.log)


def test_optuna_knows_the_same_choices() -> None:
    assert distribution(Choices((3, 5, 0.5))).choices == (3, 5, 0.5)


NETWORK_RANGES = {repr(values): values for network in MODELS.values() for values in network.space.values()}


@pytest.mark.parametrize("values", NETWORK_RANGES.values(), ids=list(NETWORK_RANGES))
def test_every_value_of_a_network_s_range_is_drawn_and_no_other(values: Range, tmp_path: Path) -> None:
    """Draw so often that each of the numbers comes up, unless there are as many as one likes."""
    count = 0 if isinstance(values, Floats) and not values.step else len(numbers(values))
    space: Space = {"learning_rate": values}
    engine = opened(searching(space=space), tmp_path, total=max(12 * count, 12))
    drawn = []
    while trial := engine.ask(this_process()):
        drawn.append(trial.params["learning_rate"])
    assert all(value in values for value in drawn)
    if count:
        assert sorted({round(value, 9) for value in drawn}) == numbers(values)


def numbers(values: Range) -> list[Value]:
    if isinstance(values, Choices):
        return sorted(values.values)
    step = values.step or 1
    return [round(values.low + i * step, 9) for i in range(round((values.high - values.low) / step) + 1)]
