"""Tables as queries on the results of runs."""

import pytest
from pandas import DataFrame

from experiments.reporting.page.content import Column
from experiments.reporting.page.tables import REPORTED, Subject, build_table, methods_table, networks_table
from experiments.results import Result, to_table

CNN, LENET = Subject("cnn", "v1", ("new", "old")), Subject("lenet", "v2", ("other",))
ACCURACY = Column("accuracy", "Accuracy", "share", "high", where={"metric": "accuracy", "target": "uci"})


def frame(*runs: tuple[str, Result]) -> DataFrame:
    """Return results as one table, each with the id of its run."""
    return to_table(result for _, result in runs).assign(run_id=[run_id for run_id, _ in runs])


def measured(value: float, **about: str) -> Result:
    return Result("accuracy", value, **{"target": "uci", **about})  # type: ignore[arg-type]


def test_the_first_run_with_a_number_counts_and_the_highest_comes_first() -> None:
    found = frame(
        ("old", measured(0.8)), ("new", measured(0.7)), ("other", measured(0.9)), ("stranger", measured(1.0)),
        ("new", measured(0.1, group="3")), ("new", measured(0.2, baseline="mlp")),
        ("new", measured(0.3, target="usps")),
    )  # fmt: skip
    table = build_table("t", "T", [ACCURACY], [CNN, LENET], found)
    assert [(row.name, row.detail, row.cells["accuracy"].value) for row in table.rows] == [
        ("lenet", "v2", 0.9),
        ("cnn", "v1", 0.7),
    ]
    assert [row.cells["accuracy"].run_id for row in table.rows] == ["other", "new"]


def test_empty_rows_and_columns_are_left_out() -> None:
    never = Column("never", "Never", "count", where={"metric": "never"})
    table = build_table("t", "T", [never, ACCURACY], [CNN, LENET], frame(("old", measured(0.8))))
    assert [column.key for column in table.columns] == ["accuracy"]
    assert [row.name for row in table.rows] == ["cnn"]
    assert build_table("t", "T", [never], [CNN], frame(("old", measured(0.8)))).rows == ()


@pytest.mark.parametrize("tried", [("shot", "tent"), ("tent", "adabn"), ("adabn",)])
def test_the_reported_adaptation_is_the_first_of_a_fixed_order(tried: tuple[str, ...]) -> None:
    runs = [("new", measured(0.5 + 0.1 * place, method=method, target="usps")) for place, method in enumerate(tried)]
    plain = [("new", measured(0.4, method="none", target="usps"))]
    (row,) = networks_table("uci", [CNN], frame(*reversed(runs), *plain), ["usps"]).rows
    expected = min(tried, key=REPORTED.index)
    assert row.cells["usps/adapted"].value == pytest.approx(0.5 + 0.1 * tried.index(expected))


@pytest.mark.parametrize(("aligned", "shown"), [(0.4, False), (0.5, True)])
def test_an_alignment_that_changes_nothing_is_left_out(aligned: float, shown: bool) -> None:
    found = frame(
        ("new", measured(0.4, method="none", target="usps")), ("new", measured(aligned, method="align", target="usps"))
    )
    table = methods_table("uci", "usps", [CNN], found)
    assert ("align" in {column.key for column in table.columns}) is shown
    assert ("align" in set(table.cells["column"])) is shown
    assert ("Aligned: " in table.note) is shown
