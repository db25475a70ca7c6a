"""What identifies a search, and what its trials come to."""

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
RECIPE = Recipe(epochs=5, seed=1, network={"units_1": 224, "units_2": 288})
SEARCH = Search("uci-mlp", "optuna", "mlp", "uci", "0a1b", RECIPE, SPACE, limit=1000)
UNITS = "'high': 512, 'step': {}"


def kept(search: Search) -> dict[str, Any]:
    """Return a search's identity as it comes back from a file."""
    return dict(json.loads(json.dumps(search.identity())))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"name": "another"},
        {"space": {**SPACE, "dropout": Floats(0.0, 0.5, step=0.1)}},  # an end that was a whole number
        {"recipe": RECIPE.override({"units_1": 32, "dropout": 0.5, "learning_rate": 1e-2, "batch_size": 64})},
    ],
    ids=["all the same", "name", "0.0 for 0", "what is searched"],
)
def test_a_search_is_the_same_as_what_was_kept_of_it(changes: dict[str, Any]) -> None:
    replace(SEARCH, **changes).require_same(kept(SEARCH))


@pytest.mark.parametrize(
    ("changes", "name", "was", "now"),
    [
        ({"model": "mlp_small"}, "model", "mlp", "mlp_small"),
        ({"dataset": "mnist"}, "dataset", "uci", "mnist"),
        ({"digest": "ffff"}, "data digest", "0a1b", "ffff"),
        ({"limit": 999}, "limit", "1000", "999"),
        ({"limit": None}, "limit", "1000", "none"),
        ({"sampler": "random"}, "sampler", "tpe", "random"),
        ({"pruner": "hyperband"}, "pruner", "median", "hyperband"),
        ({"own_first": False}, "own values first", "True", "False"),
        ({"backend": "jax"}, "backend", SEARCH.backend, "jax"),
        ({"engine": "keras-tuner", "sampler": "random", "pruner": "none"}, "engine", "optuna", "keras-tuner"),
        ({"recipe": RECIPE.override({"seed": 2})}, "setting seed", "1", "2"),
        ({"recipe": RECIPE.override({"epochs": 6})}, "setting epochs", "5", "6"),
        ({"recipe": RECIPE.override({"units_2": 0})}, "setting units_2", "288", "0"),
        ({"recipe": RECIPE.override({"schedule": "cosine"})}, "setting schedule", "constant", "cosine"),
        ({"space": {**SPACE, "units_1": Integers(32, 512, 16)}}, "range of units_1", UNITS, UNITS),
        ({"space": {**SPACE, "dropout": Floats(0, 0.4, step=0.1)}}, "range of dropout", "0.5", "0.4"),
        ({"space": {**SPACE, "learning_rate": Floats(1e-4, 1e-2)}}, "range of learning_rate", "True", "False"),
        ({"space": {**SPACE, "batch_size": Choices((64, 256))}}, "range of batch_size", "[64, 128]", "[64, 256]"),
        ({"space": {**SPACE, "batch_size": Choices((128, 64))}}, "range of batch_size", "[64, 128]", "[128, 64]"),
        ({"space": {**SPACE, "units_2": Choices((0, 288))}}, "setting units_2", "288", "none"),
        ({"space": {"units_1": SPACE["units_1"]}}, "range of dropout", "0.5", "none"),
    ],
)
def test_another_search_is_refused_by_what_differs_either_way_round(
    changes: dict[str, Any], name: str, was: str, now: str
) -> None:
    other = replace(SEARCH, **changes)
    with pytest.raises(UsageError) as caught:
        other.require_same(kept(SEARCH))
    before, after = str(caught.value).split(", now it is ")
    assert f"study 'uci-mlp' exists and is another search: its {name} was " in before
    assert was.format(32) in before.split(" was ")[1]
    assert now.format(16) in after.split("; ")[0]
    assert after.endswith("--study NAME")
    with pytest.raises(UsageError, match="another search"):
        SEARCH.require_same(kept(other))


def test_every_sampler_is_registered_by_its_name_and_has_an_engine() -> None:
    for name, sampler in SAMPLERS.items():
        assert sampler.name == name
        assert sampler.engines
        assert set(sampler.engines) <= set(ENGINES)
    assert [samplers_of(engine)[0] for engine in ENGINES] == ["tpe", "bayesian"]


def made(number: int, state: TrialState, value: float | None = None, again: bool = False) -> Trial:
    return Trial(number, state, {}, value=value, again=again)


def many(states: str) -> list[Trial]:
    """Return trials by their initials: complete, pruned, failed, running, and again for an interrupted one."""
    kinds: Mapping[str, TrialState] = {"c": "complete", "p": "pruned", "f": "failed", "r": "running", "a": "failed"}
    return [made(number, kinds[state], again=state == "a") for number, state in enumerate(states)]


@given(st.text("cpfra", max_size=12), st.integers(0, 12))
def test_consecutive_failures_are_those_that_nothing_else_follows(states: str, first: int) -> None:
    trials = many(states)
    found = [trial.number for trial in consecutive_failures(trials, first)]
    assert found == sorted(found, reverse=True)
    for trial in trials:
        is_last = states[trial.number] == "f" and not set(states[trial.number + 1 :]) & set("cp")
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
    assert best_trial(trials) == best_trial(trials[::-1]) == trials[2]
    assert best_trial([made(0, "complete", 0.0)]) == made(0, "complete", 0.0)
    assert best_trial([]) is best_trial(many("pfr")) is best_trial([made(0, "complete")]) is None


def test_a_trial_has_a_name_that_sorts_and_a_row_with_what_it_tried() -> None:
    trial = Trial(7, "complete", {"units_1": 32}, value=0.5, curve=[0.4, 0.5], seconds=2.0, run_id="r")
    assert trial.name == "trial-007"
    outcome = {"trial": 7, "state": "complete", "value": 0.5, "epochs": 2, "seconds": 2.0, "run_id": "r", "error": None}
    assert trial.row() == {**outcome, "units_1": 32}
