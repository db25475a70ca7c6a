import itertools
from collections.abc import Callable
from dataclasses import astuple
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from experiments.errors import UsageError
from experiments.models.space import DROPOUT, GRID_POINTS, Choices, Floats, Integers, Range, Space, Value, narrow

NAN, INFINITY = float("nan"), float("inf")
INTEGERS = st.builds(
    lambda low, step, steps: Integers(low, low + steps * step, step),
    st.integers(-1000, 1000),
    st.integers(1, 64),
    st.integers(0, 40),
)
# As people write them: ends and steps with two decimals.
STEPPED = st.builds(
    lambda low, step, steps: Floats(low / 100, (low + steps * step) / 100, step=step / 100),
    st.integers(-200, 200),
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


def numbers(values: Integers | Floats) -> list[Value]:
    """Return all numbers of a range that has steps, computed without rounding."""
    low, high, step = (Fraction(str(number)) for number in astuple(values)[:3])
    kind = int if isinstance(values, Integers) else float
    return [kind(low + i * step) for i in range(int((high - low) / step) + 1)]


@given(values=INTEGERS | STEPPED | LOGARITHMIC | LINEAR)
@example(values=Floats(0.12345649, 1, log=True))
@example(values=Floats(-1.9668727392107255, 2.837985890347726))
def test_a_grid_is_few_rising_points_of_the_range_and_has_both_its_ends(values: Integers | Floats) -> None:
    points = values.grid()
    assert len(points) <= GRID_POINTS
    assert list(points) == sorted(points)
    assert all(point in values for point in points)
    assert (points[0], points[-1]) == (values.low, values.high)


@given(INTEGERS | STEPPED)
def test_a_grid_over_steps_takes_some_of_them_evenly_and_each_once(values: Integers | Floats) -> None:
    assert values.step is not None
    points, every = values.grid(), numbers(values)
    assert set(points) <= set(every)
    assert len(set(points)) == len(points) == min(GRID_POINTS, len(every))
    assert {type(point) for point in points} == {type(every[0])}
    gaps = [b - a for a, b in itertools.pairwise(points)]
    assert max(gaps, default=0) - min(gaps, default=0) <= values.step * (1 + 1e-9)


@given(LOGARITHMIC)
def test_a_logarithmic_grid_has_equal_ratios(values: Floats) -> None:
    ratios = [b / a for a, b in itertools.pairwise(values.grid())]
    assert ratios == pytest.approx([(values.high / values.low) ** (1 / 3)] * 3, rel=1e-4)


@given(LINEAR)
def test_a_linear_grid_has_equal_gaps(values: Floats) -> None:
    gaps = [b - a for a, b in itertools.pairwise(values.grid())]
    rounding = 1e-9 * max(1e-290, abs(values.low), abs(values.high))
    assert gaps == pytest.approx([(values.high - values.low) / 3] * 3, rel=1e-6, abs=rounding)


@given(st.lists(st.integers() | st.floats(allow_nan=False), min_size=1, max_size=GRID_POINTS, unique=True))
def test_choices_are_their_own_grid(values: list[Value]) -> None:
    choices = Choices(tuple(values))
    assert choices.grid() == tuple(values)
    assert all(value in choices for value in values)
    assert NAN not in choices


@given(INTEGERS | STEPPED)
def test_a_number_is_in_a_range_where_counting_in_steps_meets_it(values: Integers | Floats) -> None:
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


@pytest.mark.parametrize("values", [Integers(0, 4, 2), Floats(0, 1), Floats(1, 2, step=0.5), Floats(1, 2, log=True)])
@pytest.mark.parametrize("value", [-1, 5, NAN, INFINITY, -INFINITY])
def test_what_is_no_number_or_outside_is_in_no_range(values: Range, value: float) -> None:
    assert value not in values


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        # Whole steps apart, and not falling.
        *((Integers, ends) for ends in [(5, 4, 1), (0, 5, 2), (0, 4, 0), (0, 4, -2)]),
        *((Floats, ends) for ends in [(0, 1, 0.3), (0, 1.1, 0.3), (0, 1, 2), (0, 1, -0.1), (0, 1, NAN)]),
        # Finite, and rising.
        *((Floats, ends) for ends in [(1, 1), (2, 1), (NAN, 1), (0, NAN), (0, INFINITY), (-INFINITY, 0)]),
        # Positive and without steps on a logarithmic scale.
        *((Floats, ends) for ends in [(0, 1, None, True), (-1, 1, None, True), (0.1, 1, 0.1, True)]),
        # Something, and each once.
        *((Choices, [values]) for values in [(), (64, 64)]),
    ],
)
def test_what_is_no_range_is_refused(kind: Callable[..., Range], arguments: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=rf"Received: {kind.__name__}\("):
        kind(*arguments)


def test_what_is_fixed_is_not_searched() -> None:
    space: Space = {"a": Integers(0, 1), "b": DROPOUT, "c": Choices((1, 2))}
    assert list(narrow(space, {}, "mlp")) == ["a", "b", "c"]
    assert narrow(space, {"b": "0.2", "epochs": 3}, "mlp") == {"a": space["a"], "c": space["c"]}
    with pytest.raises(UsageError, match=r"\bmlp\b.*\ba, b, c\b"):
        narrow(space, {"a": 1, "b": 0.5, "c": 2, "epochs": 3}, "mlp")
    assert list(space) == ["a", "b", "c"]
