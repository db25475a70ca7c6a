"""Optuna's samplers and pruners over the project's search spaces; see also test_every_engine.py."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from searches import RECIPE, SPACE, claim, counts, make_search, params_of, run_all

from experiments.models.space import Choices, Floats, Integers, Space, Value
from experiments.tuning import PRUNERS, SAMPLERS, Search, finished_trials, samplers_of
from experiments.tuning.optuna_engine import OptunaEngine, distribution, open_study
from experiments.tuning.samplers.grid import grid
from experiments.tuning.samplers.sampler import STARTUP_TRIALS
from experiments.tuning.search import TrialState

OWN = {"units_1": 224, "dropout": 0.3, "learning_rate": 2e-3, "batch_size": 128}
LEARNING = ("tpe", "cmaes")
without_points = pytest.mark.parametrize(
    "sampler", [name for name in samplers_of("optuna") if not SAMPLERS[name].points]
)


def opened(search: Search, folder: Path, total: int = STARTUP_TRIALS + 4) -> OptunaEngine:
    return open_study(search, str(folder / "study.journal"), total, lambda: "run")


def test_a_sampler_is_added_by_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SAMPLERS, "toy", replace(SAMPLERS["random"], name="toy"))
    assert all("toy" in samplers_of(engine) for engine in SAMPLERS["random"].engines)
    toy, random = (run_all(opened(make_search(name, name=name), tmp_path, 3)) for name in ("toy", "random"))
    assert params_of(toy) == params_of(random)


@without_points
@pytest.mark.parametrize("odd", [False, True], ids=["of the space", "one of them not of the space"])
def test_the_recipe_s_own_values_are_tried_first(sampler: str, odd: bool, tmp_path: Path) -> None:
    space: Space = {**SPACE, "units_1": Integers(33, 513, 32)} if odd else SPACE
    first = claim(opened(make_search(sampler, space=space), tmp_path)).params
    assert {name: value for name, value in first.items() if value == OWN[name]} == {
        name: value for name, value in OWN.items() if name != "units_1" or not odd
    }
    assert first["units_1"] in space["units_1"]


@without_points
def test_where_the_own_values_are_not_wanted_first_the_sampler_starts(sampler: str, tmp_path: Path) -> None:
    first = claim(opened(make_search(sampler, own_first=False), tmp_path)).params
    assert first["learning_rate"] != RECIPE.learning_rate
    assert all(first[name] in values for name, values in SPACE.items())


@without_points
def test_a_space_of_one_range_can_be_searched(sampler: str, tmp_path: Path) -> None:
    trials = run_all(opened(make_search(sampler, space={"learning_rate": SPACE["learning_rate"]}), tmp_path))
    assert len({trial.params["learning_rate"] for trial in trials}) == len(trials) == STARTUP_TRIALS + 4


@pytest.mark.parametrize("sampler", LEARNING)
def test_samplers_that_learn_come_closer_than_their_random_start(sampler: str, tmp_path: Path) -> None:
    space: Space = {name: SPACE[name] for name in ("units_1", "learning_rate")}
    recipe = replace(RECIPE, learning_rate=1e-4, network={"units_1": 512})
    trials = run_all(opened(make_search(sampler, space=space, recipe=recipe), tmp_path, total=36))
    values = [trial.value or 0.0 for trial in trials]
    assert max(values[STARTUP_TRIALS:]) > max(values[:STARTUP_TRIALS])
    assert sum(values[-12:]) / 12 > sum(values[:STARTUP_TRIALS]) / STARTUP_TRIALS


SMALL: Space = {"dropout": Floats(0.0, 0.5, step=0.1), "batch_size": Choices((64, 128))}
GRID = make_search("grid", space=SMALL)


def as_points(trials: Sequence[Mapping[str, Value]]) -> list[tuple[tuple[str, Value], ...]]:
    return sorted(tuple(sorted(params.items())) for params in trials)


POINTS = as_points([{"dropout": rate, "batch_size": size} for rate in (0.0, 0.2, 0.3, 0.5) for size in (64, 128)])


@given(st.integers(0, 2**31 - 1))
def test_the_order_of_a_grid_is_drawn_and_its_points_are_not(seed: int) -> None:
    assert as_points(grid(SMALL, seed)) == POINTS
    assert grid(SMALL, seed) == grid(SMALL, seed)


@pytest.mark.parametrize("total", [8, 9, 100])
@pytest.mark.parametrize("failing", [set(), {0}, {7}, {0, 1, 2}, set(range(8))], ids=str)
def test_a_grid_tries_each_point_once_be_it_that_it_fails(failing: set[int], total: int, tmp_path: Path) -> None:
    engine = opened(GRID, tmp_path, total)
    assert counts(engine) == (8, 8)
    states: list[TrialState] = ["failed" if step in failing else "complete" for step in range(8)]
    assert as_points(params_of(run_all(engine, *states))) == POINTS
    assert counts(engine) == counts(opened(GRID, tmp_path, total + 1)) == (0, 0)


def test_where_fewer_points_than_the_grid_has_are_requested_others_make_up_for_those_that_fail(tmp_path: Path) -> None:
    engine = opened(GRID, tmp_path, 3)
    trials = run_all(engine, "failed", "complete", "failed")
    assert engine.remaining() == 0
    assert len(set(as_points(params_of(trials)))) == len(trials) == 5


def test_a_grid_s_point_that_is_interrupted_is_tried_again_and_no_other_twice(tmp_path: Path) -> None:
    engine = opened(GRID, tmp_path, 100)
    engine.requeue(claim(engine).number, "gone")
    assert engine.remaining() == 8
    trials = run_all(engine)
    assert as_points(params_of(finished_trials(trials))) == POINTS
    assert len(trials) == 9


GOOD, BAD = [0.9 + epoch / 1000 for epoch in range(9)], [0.1] * 9
BETTER = [value + 0.05 for value in GOOD]


def train(engine: OptunaEngine, curve: Sequence[float]) -> int:
    """Run a trial whose value follows a curve until it is pruned; return its number of epochs."""
    number = claim(engine).number
    for epoch, value in enumerate(curve, start=1):
        if engine.report(number, epoch, value):
            engine.tell(number, "pruned", None, 1.0)
            return epoch
    engine.tell(number, "complete", max(curve), 1.0)
    return len(curve)


@pytest.mark.parametrize("pruner", PRUNERS)
def test_bad_trials_are_pruned_and_the_best_is_not(pruner: str, tmp_path: Path) -> None:
    curves = [*itertools.repeat(GOOD, 8), *itertools.repeat(BAD, 12), BETTER]
    (tmp_path / "anew").mkdir()
    search = make_search(pruner=pruner)
    engine = opened(search, tmp_path, len(curves))
    epochs = [train(engine, curve) for curve in curves]
    bad = epochs[8:-1]
    assert epochs[:8] == [9] * 8 or pruner == "hyperband"
    assert epochs[-1] == 9
    if pruner == "hyperband":
        assert min(bad) < 9
        assert set(bad) <= {1, 3, 9}  # the ends of its rounds
    else:
        assert set(bad) == {{"median": 1, "none": 9}[pruner]}
    assert [train(opened(search, tmp_path / "anew", len(curves)), curve) for curve in curves] == epochs


def test_the_median_prunes_none_before_there_are_four_to_compare_with(tmp_path: Path) -> None:
    engine = opened(make_search(pruner="median"), tmp_path)
    assert [train(engine, curve) for curve in (GOOD, GOOD, BAD, BAD, BAD)] == [9, 9, 9, 9, 1]


@pytest.mark.parametrize("pruner", PRUNERS)
def test_the_last_epoch_is_not_pruned(pruner: str, tmp_path: Path) -> None:
    engine = opened(make_search(pruner=pruner, recipe=replace(RECIPE, epochs=1)), tmp_path)
    assert [train(engine, curve[:1]) for curve in [GOOD] * 6 + [BAD] * 6] == [1] * 12
    assert {trial.state for trial in engine.trials()} == {"complete"}


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


def test_optuna_knows_the_same_real_numbers_and_choices() -> None:
    for values in (Floats(-1, 2), Floats(1e-6, 1e-2, log=True)):
        known = distribution(values)
        assert (known.low, known.high, known.step, known.log) == (values.low, values.high, None, values.log)
    assert distribution(Choices((3, 5, 0.5))).choices == (3, 5, 0.5)
