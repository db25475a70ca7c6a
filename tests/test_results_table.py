"""The table of results: what is written is read back, and its numbers have names in MLflow."""

import string
from math import isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.errors import DigitsError
from experiments.results import (
    ACCURACY,
    COLUMNS,
    Result,
    by_metric,
    from_csv,
    scalar_name,
    scalars,
    select,
    to_csv,
    to_table,
    value,
)

NAMES = st.text(string.ascii_letters + " ,\"()'\n@:/", max_size=12)
NUMBERS = st.floats(allow_nan=True, allow_infinity=False)
COUNTS = st.none() | st.integers(0, 2**31)
RESULTS = st.builds(
    Result,
    metric=NAMES,
    value=NUMBERS,
    model=NAMES,
    version=NAMES,
    method=NAMES,
    group=NAMES | st.sampled_from(["0", "10", "NA", "nan", "None"]),
    seed=COUNTS,
    low=NUMBERS,
    n=COUNTS,
    p=NUMBERS,
)


@given(st.lists(RESULTS, max_size=5))
def test_the_table_survives_a_csv_file(results: list[Result]) -> None:
    table = to_table(results)
    again = from_csv(to_csv(table))
    assert again.equals(table)
    assert list(again.dtypes) == list(table.dtypes)
    assert tuple(again.columns) == COLUMNS


def test_a_table_with_other_columns_is_rejected() -> None:
    with pytest.raises(DigitsError, match="received model, accuracy"):
        from_csv("model,accuracy\nlenet,0.5\n")


TABLE = to_table(
    [
        Result(ACCURACY, 0.9, model="cnn", low=0.8, high=0.95, n=100),
        Result(ACCURACY, 0.95, model="cnn", method="shot", n=100),
        Result(ACCURACY, 0.5, model="cnn", group="fog"),
        Result("fine_tuned", 0.6, model="cnn", group="10", seed=0),
        Result("fine_tuned", 0.8, model="cnn", group="10", seed=1),
        Result("shift", nan, model="cnn"),
        Result("mcnemar", 0.1, model="cnn", baseline="mlp", p=0.2),
    ]
)


def test_numbers_are_found_by_their_columns() -> None:
    assert value(TABLE, ACCURACY, method="shot") == 0.95
    assert value(TABLE, ACCURACY, method="tent") is None
    assert value(TABLE, "fine_tuned", seed=1) == 0.8
    assert select(TABLE, method=["", "shot"], metric=ACCURACY)["value"].tolist() == [0.9, 0.95, 0.5]
    assert by_metric(TABLE.head(1)) == {"accuracy": 0.9, "accuracy_low": 0.8, "accuracy_high": 0.95}
    assert isnan(float(value(TABLE, "shift") or 0))


def test_mlflow_shows_finite_numbers_and_means_over_seeds_without_comparisons() -> None:
    means = {"accuracy/shot": 0.95, "accuracy/fog": 0.5, "fine_tuned/10": 0.7}
    assert scalars(TABLE) == pytest.approx({"accuracy": 0.9, "accuracy_low": 0.8, "accuracy_high": 0.95, **means})


def test_models_are_told_apart_where_there_are_several() -> None:
    both = to_table([Result(ACCURACY, 0.9, model="cnn"), Result(ACCURACY, 0.8, model="mlp (tuned)")])
    assert scalars(both) == {"accuracy/cnn": 0.9, "accuracy/mlp _tuned_": 0.8}


def test_names_leave_out_what_goes_without_saying() -> None:
    assert scalar_name(ACCURACY, "none", "") == "accuracy"
    assert scalar_name(ACCURACY, "align", "center") == "accuracy/align/center"
