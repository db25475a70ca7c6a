import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.errors import UsageError
from experiments.models import Recipe
from experiments.models.space import Choices, Floats, Integers, Space
from experiments.tuning import (
    ENGINES,
    SAMPLERS,
    Search,
    Trial,
    best_trial,
    consecutive_failures,
    finished_trials,
    samplers_of,
)
from experiments.tuning.search import TrialState

SPACE: Space = {
    "units_1": Integers(32, 512, 32),
    "dropout": Floats(0, 0.5, step=0.1),
    "learning_rate": Floats(1e-4, 1e-2, log=True),
    "batch_size": Choices((64, 128)),
}
SEARCH = Search(
    name="uci-mlp",
    engine="optuna",
    model="mlp",
    dataset="uci",
    digest="0a1b",
    recipe=Recipe(epochs=5, seed=1, network={"units_1": 224, "units_2": 288}),
    space=SPACE,
    limit=1000,
)
OTHER: Mapping[str, tuple[dict[str, Any], str]] = {
    "model": ({"model": "mlp_small"}, "its model was mlp, now it is mlp_small"),
    "dataset": ({"dataset": "mnist"}, "its dataset was uci, now it is mnist"),
    "digest": ({"digest": "ffff"}, "its data digest was 0a1b, now it is ffff"),
    "limit": ({"limit": 999}, "its limit was 1000, now it is 999"),
    "no limit": ({"limit": None}, "its limit was 1000, now it is none"),
    "sampler": ({"sampler": "random"}, "its sampler was tpe, now it is random"),
    "pruner": ({"pruner": "hyperband"}, "its pruner was median, now it is hyperband"),
    "own values": ({"own_first": False}, "its own values first was True, now it is False"),
    "seed": ({"recipe": SEARCH.recipe.override({"seed": 2})}, "its setting seed was 1, now it is 2"),
    "epochs": ({"recipe": SEARCH.recipe.override({"epochs": 6})}, "its setting epochs was 5, now it is 6"),
    "width": ({"recipe": SEARCH.recipe.override({"units_2": 0})}, "its setting units_2 was 288, now it is 0"),
    "schedule": (
        {"recipe": SEARCH.recipe.override({"schedule": "cosine"})},
        "its setting schedule was constant, now it is cosine",
    ),
    "step": (
        {"space": {**SPACE, "units_1": Integers(32, 512, 16)}},
        "its range of units_1 was {'low': 32, 'high': 512, 'step': 32}, now it is {'low': 32, 'high': 512, 'step': 16}",
    ),
    "end": (
        {"space": {**SPACE, "dropout": Floats(0, 0.4, step=0.1)}},
        "its range of dropout was {'low': 0, 'high': 0.5, 'step': 0.1, 'log': False}, "
        "now it is {'low': 0, 'high': 0.4, 'step': 0.1, 'log': False}",
    ),
    "scale": (
        {"space": {**SPACE, "learning_rate": Floats(1e-4, 1e-2)}},
        "its range of learning_rate was {'low': 0.0001, 'high': 0.01, 'step': None, 'log': True}, "
        "now it is {'low': 0.0001, 'high': 0.01, 'step': None, 'log': False}",
    ),
    "choice": (
        {"space": {**SPACE, "batch_size": Choices((64, 256))}},
        "its range of batch_size was {'values': [64, 128]}, now it is {'values': [64, 256]}",
    ),
    "order of choices": (
        {"space": {**SPACE, "batch_size": Choices((128, 64))}},
        "its range of batch_size was {'values': [64, 128]}, now it is {'values': [128, 64]}",
    ),
    "one more": (
        {"space": {**SPACE, "units_2": Choices((0, 288))}},
        "its setting units_2 was 288, now it is none",
    ),
    "one less": (
        {"space": {name: values for name, values in SPACE.items() if name != "batch_size"}},
        "its range of batch_size was {'values': [64, 128]}, now it is none",
    ),
}


def kept(search: Search) -> dict[str, Any]:
    """Return a search's identity as it comes back from a file."""
    return dict(json.loads(json.dumps(search.identity())))


def test_a_search_is_the_same_as_what_was_kept_of_it() -> None:
    SEARCH.require_same(kept(SEARCH))
    assert kept(SEARCH) == SEARCH.identity()


def test_what_is_searched_need_not_be_the_same_in_the_recipe() -> None:
    other = SEARCH.recipe.override({"units_1": 32, "dropout": 0.5, "learning_rate": 1e-2, "batch_size": 64})
    replace(SEARCH, recipe=other).require_same(kept(SEARCH))


def test_the_name_of_a_study_does_not_tell_what_it_is() -> None:
    replace(SEARCH, name="another").require_same(kept(SEARCH))


def test_a_whole_number_for_a_rate_is_the_same() -> None:
    whole = replace(SEARCH, space={**SPACE, "dropout": Floats(0.0, 0.5, step=0.1)})
    whole.require_same(kept(SEARCH))


@pytest.mark.parametrize("change", OTHER)
def test_another_search_is_refused_by_what_differs(change: str) -> None:
    changes, difference = OTHER[change]
    with pytest.raises(UsageError) as caught:
        replace(SEARCH, **changes).require_same(kept(SEARCH))
    assert str(caught.value) == (
        f"study 'uci-mlp' exists and is another search: {difference}; "
        "use the same value, or a new name with --study NAME"
    )


@pytest.mark.parametrize("change", OTHER)
def test_the_other_way_round_it_is_refused_too(change: str) -> None:
    with pytest.raises(UsageError, match="is another search"):
        SEARCH.require_same(kept(replace(SEARCH, **OTHER[change][0])))


def test_another_engine_is_another_search() -> None:
    other = replace(SEARCH, engine="keras-tuner", sampler="random", pruner="none")
    with pytest.raises(UsageError, match="its engine was optuna, now it is keras-tuner"):
        other.require_same(kept(SEARCH))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"engine": "hyperopt"}, "there is no engine 'hyperopt'; choose one of optuna, keras-tuner"),
        ({"sampler": "bayesian"}, "there is no sampler 'bayesian'; choose one of tpe, random, grid, cmaes, qmc"),
        ({"sampler": ""}, "there is no sampler ''; choose one of tpe, random, grid, cmaes, qmc"),
        ({"pruner": "asha"}, "there is no pruner 'asha'; choose one of hyperband, median, none"),
        (
            {"engine": "keras-tuner", "pruner": "none"},
            "there is no sampler 'tpe'; choose one of bayesian, random, hyperband",
        ),
        (
            {"engine": "keras-tuner", "sampler": "random"},
            "--pruner goes with --engine optuna: Keras Tuner prunes by its hyperband sampler alone",
        ),
    ],
)
def test_what_does_not_exist_is_answered_with_what_does(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        replace(SEARCH, **changes)
    assert str(caught.value) == message


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_takes_its_samplers_and_pruners(engine: str) -> None:
    for sampler in samplers_of(engine):
        for pruner in ENGINES[engine].pruners:
            search = replace(SEARCH, engine=engine, sampler=sampler, pruner=pruner)
            search.require_same(kept(search))


def test_the_registries_are_keyed_by_name_and_every_sampler_has_an_engine() -> None:
    for name, sampler in SAMPLERS.items():
        assert sampler.name == name
        assert set(sampler.engines) <= set(ENGINES)
        assert sampler.engines
    assert [samplers_of(engine)[0] for engine in ENGINES] == ["tpe", "bayesian"]


def test_the_seed_of_a_search_is_that_of_its_recipe() -> None:
    assert SEARCH.seed == SEARCH.recipe.seed == 1


def made(number: int, state: TrialState, value: float | None = None, again: bool = False) -> Trial:
    return Trial(number, state, {}, value=value, again=again)


def many(states: str) -> list[Trial]:
    """Return trials by their initials: complete, pruned, failed, running, and again for one that was cut off."""
    kinds: Mapping[str, TrialState] = {"c": "complete", "p": "pruned", "f": "failed", "r": "running", "a": "failed"}
    return [made(number, kinds[state], again=state == "a") for number, state in enumerate(states)]


@pytest.mark.parametrize(
    ("states", "first", "failures"),
    [
        ("", 0, []),
        ("f", 0, [0]),
        ("ffc", 0, []),
        ("ffp", 0, []),
        ("cff", 0, [2, 1]),
        ("fcff", 0, [3, 2]),
        ("fff", 0, [2, 1, 0]),
        ("fff", 2, [2]),
        ("fff", 3, []),
        ("cfrfr", 0, [3, 1]),
        ("cfaf", 0, [3, 1]),
        ("aaa", 0, []),
        ("ffcaa", 0, []),
        ("rrr", 0, []),
    ],
)
def test_failures_are_counted_from_the_last_trial_that_ended(states: str, first: int, failures: list[int]) -> None:
    assert [trial.number for trial in consecutive_failures(many(states), first)] == failures


@given(st.text("cpfra", max_size=12), st.integers(0, 12))
def test_failures_in_a_row_are_failures_that_nothing_else_follows(states: str, first: int) -> None:
    trials = many(states)
    found = {trial.number for trial in consecutive_failures(trials, first)}
    for trial in trials:
        later = states[trial.number + 1 :]
        is_last = states[trial.number] == "f" and not set(later) & set("cp")
        assert (trial.number in found) == (is_last and trial.number >= first)


def test_only_trials_that_were_complete_or_pruned_count() -> None:
    assert [trial.number for trial in finished_trials(many("cpfracp"))] == [0, 1, 5, 6]
    assert finished_trials([]) == []


def test_the_best_trial_is_the_complete_one_of_the_highest_value_and_the_earliest_of_equals() -> None:
    trials = [
        made(0, "complete", 0.5),
        made(1, "pruned", 0.99),
        made(2, "complete", 0.7),
        made(3, "complete", 0.7),
        made(4, "failed", 0.98),
        made(5, "running"),
        made(6, "complete"),
    ]
    for order in (trials, trials[::-1]):
        best = best_trial(order)
        assert best is not None
        assert best.number == 2


@pytest.mark.parametrize("trials", [[], many("pfr"), [made(0, "complete")]])
def test_where_no_trial_is_complete_there_is_no_best(trials: list[Trial]) -> None:
    assert best_trial(trials) is None


def test_a_trial_of_which_all_is_wrong_is_the_best_where_it_is_the_only_one() -> None:
    assert best_trial([made(0, "complete", 0.0)]) == made(0, "complete", 0.0)


def test_a_trial_has_a_name_that_sorts_and_a_row_with_what_it_tried() -> None:
    trial = Trial(7, "complete", {"units_1": 32}, value=0.5, curve=[0.4, 0.5], seconds=2.0, run_id="r")
    assert trial.name == "trial-007"
    assert trial.row() == {
        "trial": 7,
        "state": "complete",
        "value": 0.5,
        "epochs": 2,
        "seconds": 2.0,
        "units_1": 32,
        "run_id": "r",
        "error": None,
    }
