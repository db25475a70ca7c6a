import itertools
from collections.abc import Sequence
from dataclasses import astuple
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from experiments.errors import UsageError
from experiments.models import MODELS
from experiments.models.space import DROPOUT, GRID_POINTS, Choices, Floats, Integers, Range, Space, Value, narrow

NAN, INFINITY = float("nan"), float("inf")
STEPS = st.integers(0, 40)
INTEGERS = st.builds(
    lambda low, step, steps: Integers(low, low + steps * step, step),
    st.integers(-1000, 1000),
    st.integers(1, 64),
    STEPS,
)
HUNDREDTHS = st.integers(-200, 200)
# As people write them: ends and steps with two decimals.
STEPPED = st.builds(
    lambda low, step, steps: Floats(low / 100, (low + steps * step) / 100, step=step / 100),
    HUNDREDTHS,
    st.integers(1, 100),
    st.integers(1, 40),
)
LOGARITHMIC = st.builds(
    lambda digit, low, tens: Floats(float(f"{digit}e{low}"), float(f"{digit}e{low + tens}"), log=True),
    st.integers(1, 9),
    st.integers(-9, 3),
    st.integers(1, 6),
)
LINEAR = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=2, unique=True).map(
    lambda ends: Floats(min(ends), max(ends))
)


def numbers(values: Range) -> list[Value]:
    """Return all numbers of a range that has steps, computed without rounding."""
    if isinstance(values, Choices):
        return list(values.values)
    low, high, step = (Fraction(str(number)) for number in astuple(values)[:3])
    kind = int if isinstance(values, Integers) else float
    return [kind(low + i * step) for i in range(int((high - low) / step) + 1)]


def assert_is_a_grid(values: Range) -> None:
    points = values.grid()
    assert all(point in values for point in points)
    assert list(points) == sorted(set(points))
    assert len(points) <= GRID_POINTS


def ends(values: Range) -> tuple[Value, Value]:
    return values.grid()[0], values.grid()[-1]


@given(INTEGERS)
def test_the_grid_over_whole_numbers_has_both_ends_and_few_points_between_them(values: Integers) -> None:
    assert_is_a_grid(values)
    assert ends(values) == (values.low, values.high)
    assert len(values.grid()) == min(GRID_POINTS, len(numbers(values)))
    assert all(type(point) is int for point in values.grid())


@given(INTEGERS.filter(lambda values: len(numbers(values)) >= GRID_POINTS))
def test_a_grid_is_spread_evenly(values: Integers) -> None:
    gaps = [b - a for a, b in itertools.pairwise(values.grid())]
    assert max(gaps) - min(gaps) <= values.step


@given(STEPPED.filter(lambda values: len(numbers(values)) >= GRID_POINTS))
def test_the_grid_over_stepped_numbers_has_both_ends_and_few_points_between_them(values: Floats) -> None:
    assert_is_a_grid(values)
    assert set(values.grid()) <= set(numbers(values))
    assert ends(values) == (values.low, values.high)


@pytest.mark.parametrize("values", [Floats(0, 0.1, step=0.1), Floats(0, 0.5, step=0.25)])
def test_the_grid_over_two_or_three_stepped_numbers_has_each_once(values: Floats) -> None:
    assert list(values.grid()) == numbers(values)


@given(LOGARITHMIC)
def test_a_logarithmic_grid_has_both_ends_and_equal_ratios(values: Floats) -> None:
    assert_is_a_grid(values)
    assert ends(values) == pytest.approx((values.low, values.high))
    ratios = [b / a for a, b in itertools.pairwise(values.grid())]
    assert ratios == pytest.approx([ratios[0]] * len(ratios), rel=1e-4)


@given(values=LOGARITHMIC)
@example(values=Floats(0.12345649, 1, log=True))
def test_the_ends_of_a_logarithmic_grid_are_those_of_the_range(values: Floats) -> None:
    assert ends(values) == (values.low, values.high)
    assert all(point in values for point in values.grid())


@given(LINEAR)
def test_a_linear_grid_has_both_ends_but_for_rounding_and_equal_gaps(values: Floats) -> None:
    width = values.high - values.low
    assert ends(values) == pytest.approx((values.low, values.high), abs=1e-9 * max(map(abs, ends(values))))
    gaps = [b - a for a, b in itertools.pairwise(values.grid())]
    assert gaps == pytest.approx([width / 3] * 3, rel=1e-6, abs=1e-9 * max(1e-290, *map(abs, ends(values))))


@given(values=LINEAR)
@example(values=Floats(-1.9668727392107255, 2.837985890347726))
def test_a_linear_grid_does_not_leave_its_range(values: Floats) -> None:
    assert ends(values) == (values.low, values.high)
    assert all(point in values for point in values.grid())


@given(st.lists(st.integers() | st.floats(allow_nan=False), min_size=1, max_size=GRID_POINTS, unique=True))
def test_the_grid_over_choices_is_all_of_them(values: list[Value]) -> None:
    choices = Choices(tuple(values))
    assert choices.grid() == tuple(values)
    assert all(value in choices for value in values)


@given(INTEGERS)
def test_a_whole_number_is_in_a_range_where_counting_in_steps_meets_it(values: Integers) -> None:
    counted = set(range(values.low, values.high + 1, values.step))
    near = range(values.low - 2 * values.step, values.high + 2 * values.step + 1)
    assert {value for value in near if value in values} == counted
    assert not any(value + 0.5 in values for value in near)
    assert all(float(value) in values for value in counted)


@given(STEPPED)
def test_a_number_is_in_a_stepped_range_where_counting_in_steps_meets_it(values: Floats) -> None:
    assert values.step is not None
    counted = numbers(values)
    assert all(value in values for value in counted)
    assert not any(value + values.step * share in values for value in counted for share in (0.01, 0.5, 0.99))
    assert values.low - values.step not in values
    assert values.high + values.step not in values


@given(LOGARITHMIC | LINEAR, st.floats(0, 1))
def test_all_between_the_ends_of_a_range_without_steps_is_in_it(values: Floats, share: float) -> None:
    between = values.low + (values.high - values.low) * share
    assert min(between, values.high) in values
    assert values.low in values
    assert values.high in values


@pytest.mark.parametrize("values", [Integers(0, 4, 2), Floats(0, 1), Floats(1, 2, step=0.5), Floats(1, 2, log=True)])
@pytest.mark.parametrize("value", [-1, 5, NAN, INFINITY, -INFINITY])
def test_what_is_no_number_or_outside_is_in_no_range(values: Range, value: float) -> None:
    assert value not in values


@pytest.mark.parametrize("ends", [(5, 4, 1), (0, 5, 2), (0, 4, 0), (0, 4, -2)])
def test_whole_numbers_must_be_whole_steps_apart(ends: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"a whole number of steps apart\. Received: Integers\(low="):
        Integers(*ends)


@pytest.mark.parametrize(
    ("low", "high", "step", "log"),
    [
        (1, 1, None, False),
        (2, 1, None, False),
        (NAN, 1, None, False),
        (0, NAN, None, False),
        (0, 1, None, True),
        (-1, 1, None, True),
        (0.1, 1, 0.1, True),
    ],
)
def test_real_numbers_must_rise_and_be_positive_on_a_logarithmic_scale(
    low: float, high: float, step: float | None, log: bool
) -> None:
    with pytest.raises(ValueError, match=r"Received: Floats\(low="):
        Floats(low, high, step, log)


@pytest.mark.parametrize(
    ("low", "high", "step"), [(0, 1, 0.3), (0, 1.1, 0.3), (0, 1, 2), (0, 1, -0.1), (0, 1, NAN), (0, INFINITY, None)]
)
def test_real_numbers_must_be_finite_and_whole_steps_apart(low: float, high: float, step: float | None) -> None:
    with pytest.raises(ValueError, match="Received"):
        Floats(low, high, step)


@pytest.mark.parametrize("values", [(), (64, 64)])
def test_choices_must_be_some_and_differ(values: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="Received"):
        Choices(values)


def test_what_is_fixed_is_not_searched() -> None:
    space: Space = {"a": Integers(0, 1), "b": DROPOUT, "c": Choices((1, 2))}
    assert list(narrow(space, {}, "mlp")) == ["a", "b", "c"]
    assert narrow(space, {"b": "0.2", "epochs": 3}, "mlp") == {"a": space["a"], "c": space["c"]}
    assert list(space) == ["a", "b", "c"]


def test_a_search_of_which_nothing_is_left_is_refused() -> None:
    space: Space = {"a": Integers(0, 1), "b": DROPOUT}
    with pytest.raises(UsageError) as caught:
        narrow(space, {"a": 1, "b": 0.5, "epochs": 3}, "mlp")
    assert str(caught.value) == "every setting that mlp is searched over is fixed: leave one of a, b free"


@pytest.mark.parametrize("name", MODELS)
def test_every_network_can_be_searched_over_settings_that_it_has(name: str) -> None:
    network = MODELS[name]
    assert network.space
    assert set(network.space) <= set(network.recipe.params())


@pytest.mark.parametrize("name", MODELS)
def test_every_corner_of_a_network_s_grid_makes_a_recipe(name: str) -> None:
    network = MODELS[name]
    kinds = {setting: type(value) for setting, value in network.recipe.params().items()}
    corners: Sequence[tuple[Value, ...]] = list(itertools.product(*(ends(values) for values in network.space.values())))
    assert len(corners) == 2 ** len(network.space)
    for corner in corners:
        values = dict(zip(network.space, corner, strict=True))
        params = network.recipe.override(values).params()
        assert params == {**network.recipe.params(), **values}
        assert {setting: type(value) for setting, value in params.items()} == kinds


@pytest.mark.parametrize("name", MODELS)
def test_a_network_s_own_values_lie_within_what_is_searched(name: str) -> None:
    network = MODELS[name]
    own = network.recipe.params()
    outside = {setting for setting, values in network.space.items() if own[setting] not in values}
    assert outside <= {"weight_decay"}  # none at all is 0, which is not on a logarithmic scale
    assert all(own[setting] == 0 for setting in outside)


def test_the_published_widths_of_the_tuned_perceptron_are_among_those_searched() -> None:
    published = {"units_1": 224, "units_2": 288, "units_3": 0, "dropout": 0.3}
    space = MODELS["mlp"].space
    assert all(value in space[name] for name, value in published.items())
    assert published.items() <= MODELS["mlp"].recipe.params().items()
