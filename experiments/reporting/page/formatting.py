"""How the numbers of a report are written, on its page and in its Markdown alike."""

from collections.abc import Mapping

from experiments.reporting.page.content import Column, Number, Row, Table, Unit

LOW, HIGH = "_low", "_high"  # after a column's key: the ends of its interval
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
    """Return what stands under a column's head; seconds, which may be hours, carry their unit themselves."""
    return UNITS[unit]


def number_text(value: float, unit: Unit) -> str:
    """Return a number as it is read.

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


def interval_text(numbers: Mapping[str, Number], column: Column) -> str:
    """Return the 95 % interval of a column's number, or nothing where it has none."""
    low, high = numbers.get(column.key + LOW), numbers.get(column.key + HIGH)
    if low is None or high is None:
        return ""
    return f"{number_text(low.value, column.unit)} to {number_text(high.value, column.unit)}"


def best_rows(table: Table, column: Column) -> list[Row]:
    """Return the rows with the best number of a column: none where no end is the good one, or all are as good."""
    rows = [row for row in table.rows if column.key in row.numbers]
    if not column.better or len(rows) < 2:
        return []
    values = [row.numbers[column.key].value for row in rows]
    best = max(values) if column.better == "high" else min(values)
    found = [row for row, value in zip(rows, values, strict=True) if value == best]
    return found if len(found) < len(rows) else []


def _short(value: float) -> str:
    """Return a number with two digits after the point where it is small, with none where it is large."""
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
