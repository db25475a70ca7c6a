import copy
import pickle
from dataclasses import FrozenInstanceError, asdict, fields
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.errors import UsageError
from experiments.models import MODELS, Recipe
from experiments.models.recipe import Optimizer, Precision, Schedule

SHARES = ("beta_1", "beta_2", "ema", "dropout", "label_smoothing")
RANGES = st.floats(0, 0.9, allow_subnormal=False)
RECIPES = st.builds(
    Recipe,
    epochs=st.integers(1, 10**6),
    batch_size=st.integers(1, 10**6),
    optimizer=st.sampled_from(get_args(Optimizer)),
    learning_rate=st.floats(0, 1e6, exclude_min=True),
    schedule=st.sampled_from(get_args(Schedule)),
    rate_decay=st.floats(0, 1, exclude_min=True),
    **dict.fromkeys(SHARES, st.floats(0, 1, exclude_max=True)),
    weight_decay=st.floats(0, 1e6),
    rotation=RANGES | st.integers(0, 180),
    zoom=RANGES,
    shift=RANGES,
    augmentation=st.sampled_from([0, 0.5, 1, 2]),
    effects=st.sampled_from(["", "all", "warp,noise"]),
    outsiders=st.floats(0, 1),
    patience=st.integers(0, 10**6),
    validation=st.floats(0, 0.5, exclude_min=True),
    precision=st.sampled_from(get_args(Precision)),
    seed=st.integers(0, 2**31 - 1),
    network=st.fixed_dictionaries({"units_1": st.integers(0, 4096), "units_2": st.integers(0, 4096)}),
)
SMALL = Recipe(network={"units_1": 8})


@given(recipe=RECIPES, base=RECIPES)
def test_a_recipe_s_values_as_text_make_it_again_from_any_other(recipe: Recipe, base: Recipe) -> None:
    text = {name: str(value) for name, value in recipe.params().items()}
    assert base.override(text) == recipe


@given(recipe=RECIPES)
def test_a_recipe_can_be_recorded_and_sent_to_another_process(recipe: Recipe) -> None:
    assert pickle.loads(pickle.dumps(recipe)) == copy.deepcopy(recipe) == recipe
    assert asdict(recipe)["network"] == recipe.network
    assert recipe.warps == (recipe.augmentation > 0 and any((recipe.rotation, recipe.zoom, recipe.shift)))
    params = recipe.params()
    assert set(params) == {f.name for f in fields(Recipe)} - {"network"} | {"units_1", "units_2"}
    assert all(type(value) in (int, float, str) for value in params.values())
    assert type(params["rotation"]) is type(params["augmentation"]) is float  # though given as whole numbers
    assert {name: params[name] for name in recipe.network} == dict(recipe.network)


NAN, INFINITY = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("epochs", [0, -1]),
        ("batch_size", [0, -128]),
        ("optimizer", ["rmsprop", "Adam", ""]),
        ("learning_rate", [0, -1e-3, NAN, INFINITY]),
        ("schedule", ["linear", "one_cycle"]),
        ("rate_decay", [0, -0.5, 1.1, NAN]),
        *((name, [-0.1, 1, NAN]) for name in SHARES),
        ("weight_decay", [-1e-9, NAN, INFINITY]),
        ("rotation", [-1, 180.1, NAN]),
        *((name, [-0.1, 0.91, NAN]) for name in ("zoom", "shift")),
        ("augmentation", [-0.1, 2.1, NAN]),
        ("outsiders", [-0.1, 1.1, NAN]),
        ("patience", [-1]),
        ("validation", [0, 0.51, -0.1, NAN]),
        ("precision", ["float16", "mixed_bfloat16"]),
        ("seed", [-1, 2**31]),
        ("units_1", [-1]),
    ],
)
def test_a_value_outside_its_range_is_refused_with_name_and_value(name: str, values: list[Any]) -> None:
    for value in values:
        kind = type(SMALL.params()[name])
        with pytest.raises(UsageError) as caught:
            SMALL.override({name: value})
        assert str(caught.value).startswith(f"{name} must be ")
        assert str(caught.value).endswith(f", received {kind(value)!r}")


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("epochs", ["three", "2.5", INFINITY, None], "int"),
        ("epochs", [2.5], "whole"),
        ("learning_rate", ["fast", ""], "float"),
        ("units_1", ["many"], "int"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_with_name_and_value(name: str, values: list[Any], kind: str) -> None:
    for value in values:
        with pytest.raises(UsageError, match=rf"^{name} .*\b{kind}\b.*, received {value!r}$"):
            SMALL.override({name: value})


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("learning_rate", "1e-2", 0.01),
        ("rotation", 5, 5.0),
        ("epochs", 3.0, 3),
        ("epochs", np.int64(4), 4),
        ("optimizer", "sgd", "sgd"),
        ("dense", "64", 64),
    ],
)
def test_values_are_converted_to_the_kind_they_replace(name: str, given: object, value: object) -> None:
    converted = MODELS["cnn"].recipe.override({name: given}).params()[name]
    assert (converted, type(converted)) == (value, type(value))


@pytest.mark.parametrize("name", ["learning-rate", "network", "units_2", ""])
def test_an_unknown_setting_is_answered_with_the_known_ones(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name!r}.*{', '.join(sorted(SMALL.params()))}"):
        SMALL.override({name: 1})


def test_a_recipe_does_not_change() -> None:
    sizes = {"units_1": 8, "units_2": 9}
    recipe: Any = Recipe(network=sizes)
    changed = recipe.override({"units_1": 16, "epochs": 2})
    assert (changed.epochs, dict(changed.network)) == (2, {"units_1": 16, "units_2": 9})
    sizes["units_1"] = 10
    assert recipe == Recipe(network={"units_1": 8, "units_2": 9})
    with pytest.raises(FrozenInstanceError):
        recipe.epochs = 9
