import copy
import pickle
from dataclasses import FrozenInstanceError, asdict, fields, replace
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.errors import UsageError
from experiments.models import MODELS, Recipe
from experiments.models.recipe import Optimizer, Precision, Schedule

SHARES = st.floats(0, 1, exclude_max=True)
RECIPES = st.builds(
    Recipe,
    epochs=st.integers(1, 10**6),
    batch_size=st.integers(1, 10**6),
    optimizer=st.sampled_from(get_args(Optimizer)),
    learning_rate=st.floats(0, 1e6, exclude_min=True),
    schedule=st.sampled_from(get_args(Schedule)),
    rate_decay=st.floats(0, 1, exclude_min=True),
    beta_1=SHARES,
    beta_2=SHARES,
    weight_decay=st.floats(0, 1e6),
    ema=SHARES,
    dropout=SHARES,
    label_smoothing=SHARES,
    rotation=st.floats(0, 180) | st.integers(0, 180),
    zoom=st.floats(0, 0.9),
    shift=st.floats(0, 0.9),
    patience=st.integers(0, 10**6),
    validation=st.floats(0, 0.5, exclude_min=True),
    precision=st.sampled_from(get_args(Precision)),
    seed=st.integers(0, 2**31 - 1),
    network=st.fixed_dictionaries({"units_1": st.integers(0, 4096), "units_2": st.integers(0, 4096)}),
)


@given(recipe=RECIPES, base=RECIPES)
def test_a_recipe_s_values_as_text_make_it_again_from_any_other(recipe: Recipe, base: Recipe) -> None:
    text = {name: str(value) for name, value in recipe.params().items()}
    assert base.override(text) == recipe


@given(recipe=RECIPES)
def test_params_are_flat_and_complete(recipe: Recipe) -> None:
    params = recipe.params()
    assert set(params) == {f.name for f in fields(Recipe)} - {"network"} | {"units_1", "units_2"}
    assert all(type(value) in (int, float, str) for value in params.values())
    assert {name: params[name] for name in recipe.network} == dict(recipe.network)


@given(recipe=RECIPES)
def test_augmentation_is_on_where_any_range_is(recipe: Recipe) -> None:
    assert recipe.augments == any((recipe.rotation, recipe.zoom, recipe.shift))


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
        ("beta_1", [-0.1, 1, NAN]),
        ("beta_2", [-0.1, 1, NAN]),
        ("weight_decay", [-1e-9, NAN, INFINITY]),
        ("ema", [-0.1, 1, NAN]),
        ("dropout", [-0.1, 1, NAN]),
        ("label_smoothing", [-0.1, 1, NAN]),
        ("rotation", [-1, 180.1, NAN]),
        ("zoom", [-0.1, 0.91, NAN]),
        ("shift", [-0.1, 0.91, NAN]),
        ("patience", [-1]),
        ("validation", [0, 0.51, -0.1, NAN]),
        ("precision", ["float16", "mixed_bfloat16"]),
        ("seed", [-1, 2**31]),
        ("units_1", [-1]),
    ],
)
def test_a_value_outside_its_range_is_refused_with_name_and_value(name: str, values: list[Any]) -> None:
    recipe = Recipe(network={"units_1": 8})
    for value in values:
        kind = type(recipe.params()[name])
        with pytest.raises(UsageError) as caught:
            recipe.override({name: value})
        assert str(caught.value).startswith(f"{name} must be ")
        assert str(caught.value).endswith(f", received {kind(value)!r}")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("epochs", "3", 3),
        ("learning_rate", "1e-2", 0.01),
        ("rotation", "7.5", 7.5),
        ("rotation", 5, 5.0),
        ("epochs", 3.0, 3),
        ("epochs", np.int64(4), 4),
        ("optimizer", "sgd", "sgd"),
        ("dense", "64", 64),
    ],
)
def test_values_are_converted_to_the_kind_they_replace(name: str, text: object, value: object) -> None:
    converted = MODELS["cnn"].recipe.override({name: text}).params()[name]
    assert converted == value
    assert type(converted) is type(value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("epochs", "three", "epochs must be of type int, received 'three'"),
        ("epochs", "2.5", "epochs must be of type int, received '2.5'"),
        ("epochs", 2.5, "epochs must be a whole number, received 2.5"),
        ("epochs", INFINITY, "epochs must be of type int, received inf"),
        ("epochs", None, "epochs must be of type int, received None"),
        ("learning_rate", "fast", "learning_rate must be of type float, received 'fast'"),
        ("learning_rate", "", "learning_rate must be of type float, received ''"),
        ("units_1", "many", "units_1 must be of type int, received 'many'"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(name: str, value: object, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Recipe(network={"units_1": 8}).override({name: value})
    assert str(caught.value) == message


@pytest.mark.parametrize("name", ["learning-rate", "network", "units_2", ""])
def test_an_unknown_setting_is_answered_with_the_known_ones(name: str) -> None:
    recipe = Recipe(network={"units_1": 8})
    with pytest.raises(UsageError) as caught:
        recipe.override({name: 1})
    known = ", ".join(sorted(recipe.params()))
    assert str(caught.value) == f"there is no setting {name!r}; this model has: {known}"


def test_overriding_leaves_the_original_alone() -> None:
    original = Recipe(network={"units_1": 8, "units_2": 9})
    changed = original.override({"units_1": 16, "epochs": 2})
    assert (changed.epochs, dict(changed.network)) == (2, {"units_1": 16, "units_2": 9})
    assert original == Recipe(network={"units_1": 8, "units_2": 9})


def test_a_recipe_does_not_change() -> None:
    sizes = {"units_1": 8}
    recipe: Any = Recipe(network=sizes)
    sizes["units_1"] = 9
    assert recipe.network["units_1"] == 8
    with pytest.raises(FrozenInstanceError):
        recipe.epochs = 9


@given(recipe=RECIPES)
def test_a_recipe_can_be_sent_to_another_process(recipe: Recipe) -> None:
    assert pickle.loads(pickle.dumps(recipe)) == copy.deepcopy(recipe) == recipe
    assert asdict(recipe)["network"] == recipe.network


def test_whole_numbers_for_rates_and_shares_become_floats() -> None:
    assert str(Recipe(rotation=10).params()) == str(Recipe(rotation=10.0).params())


@pytest.mark.parametrize("name", MODELS)
def test_a_rate_that_falls_to_0_is_not_stopped_early(name: str) -> None:
    recipe = MODELS[name].recipe
    assert recipe.schedule == "constant" or recipe.patience == 0


def test_ranges_are_checked_on_replacement_too() -> None:
    with pytest.raises(UsageError, match=r"dropout must be in \[0, 1\), received 2.0"):
        replace(Recipe(), dropout=2)
