"""Formats of numbers."""

from dataclasses import replace
from math import nan

import pytest
from small_reports import ACCURACY, SECONDS, table

from experiments.reporting.page.content import Cell, Unit
from experiments.reporting.page.formatting import best_rows, interval_text, number_text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.97770195, "share", "97.77"),
        (1.0, "share", "100.00"),
        (24_733_898, "count", "24,733,898"),
        (1.0054, "number", "1.005"),
        (0.04, "seconds", "0.0 s"),
        (59.6, "seconds", "60 s"),
        (3420, "seconds", "57 min"),
        (7200, "seconds", "2.0 h"),
        (0.4567, "milliseconds", "0.46"),
        (45.67, "milliseconds", "45.7"),
        (1234.5, "milliseconds", "1,234"),
        (432_109, "bytes", "0.43"),
        (98_976_543, "bytes", "99.0"),
        (233_000_000, "bytes", "233"),
    ],
)
def test_numbers_have_the_precision_of_their_unit(value: float, unit: Unit, text: str) -> None:
    assert number_text(value, unit) == text


def test_an_interval_needs_both_bounds() -> None:
    assert interval_text(Cell(0.98, 0.97, 0.99, "one"), "share") == "97.00 to 99.00"
    assert interval_text(Cell(0.98, 0.97, nan, "one"), "share") == ""


def test_the_best_is_marked_where_there_is_one() -> None:
    rows = table().rows
    assert [row.name for row in best_rows(rows, ACCURACY)] == ["cnn"]
    assert [row.name for row in best_rows(rows, SECONDS)] == ["lenet"]
    assert best_rows(rows, replace(ACCURACY, better="")) == []
    assert best_rows([replace(row, cells=rows[0].cells) for row in rows], ACCURACY) == []
    assert best_rows(rows[:1], ACCURACY) == []
