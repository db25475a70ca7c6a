"""Number formats, shared by the page and the Markdown of a report."""

from collections.abc import Mapping, Sequence
from math import isnan

from experiments.reporting.page.content import Cell, Column, Row, Unit

MINUTE, HOUR = 60, 3600
MEGABYTE = 1e6  # bytes
UNITS: Mapping[Unit, str] = {
    "share": "%",
    "count": "",
    "seconds": "",
    "milliseconds": "ms",
    "bytes": "MB",
    "number": "",
}


def unit_text(unit: Unit) -> str:
    """Return the unit shown in a column's heading. Times carry their unit themselves."""
    return UNITS[unit]


def number_text(value: float, unit: Unit) -> str:
    """Format a number.

    Examples
    --------
    >>> number_text(0.98631, "share"), number_text(101770, "count"), number_text(0.25, "number")
    ('98.63', '101,770', '0.250')
    >>> [number_text(seconds, "seconds") for seconds in (4.21, 28.4, 420, 5400)]
    ['4.2 s', '28 s', '7.0 min', '1.5 h']
    >>> number_text(0.8421, "milliseconds"), number_text(2_961_184, "bytes"), number_text(99_001_234, "bytes")
    ('0.84', '2.96', '99.0')
    """
    if unit == "share":
        return f"{100 * value:.2f}"
    if unit == "count":
        return f"{value:,.0f}"
    if unit == "seconds":
        return _time(value)
    if unit == "milliseconds":
        return _short(value)
    return _short(value / MEGABYTE) if unit == "bytes" else f"{value:.3f}"


def interval_text(cell: Cell, unit: Unit) -> str:
    """Format the 95 % interval of a number; empty if it has none."""
    if isnan(cell.low) or isnan(cell.high):
        return ""
    return f"{number_text(cell.low, unit)} to {number_text(cell.high, unit)}"


def best_rows(rows: Sequence[Row], column: Column) -> list[Row]:
    """Return the rows with the best number of a column; none if neither direction is better or all are equal."""
    measured = [row for row in rows if column.key in row.cells]
    if not column.better or len(measured) < 2:
        return []
    values = [row.cells[column.key].value for row in measured]
    best = max(values) if column.better == "high" else min(values)
    found = [row for row, value in zip(measured, values, strict=True) if value == best]
    return found if len(found) < len(measured) else []


def _short(value: float) -> str:
    """Format a number with two decimals below 10, one below 100, none above."""
    if value < 10:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def _time(seconds: float) -> str:
    if seconds < MINUTE:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = seconds / MINUTE
    if seconds < HOUR:
        return f"{minutes:.1f} min" if minutes < 10 else f"{minutes:.0f} min"
    return f"{seconds / HOUR:.1f} h"
