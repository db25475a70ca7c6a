"""Readings as values for JSON and as rows of tables."""

from collections.abc import Iterator
from typing import Any

from experiments.inference.batches import FileReading, Task
from experiments.inference.network import CLASSES
from experiments.inference.readings import Reading, RowReading

UNCERTAIN = "?"
DIGIT_COLUMNS = ("file", "digit", "probability", "is_digit", "score", *(f"p{i}" for i in range(CLASSES)), "error")
ROW_COLUMNS = ("file", "row", "string", "probability", "digit_probabilities", "x", "y", "width", "height", "error")


def columns(task: Task) -> tuple[str, ...]:
    """Return the columns of a table of readings."""
    return ROW_COLUMNS if task.rows else DIGIT_COLUMNS


def printable(text: str) -> str:
    """Return a path without the bytes that no encoding can print."""
    return text.encode("utf-8", "backslashreplace").decode()


def shown_digit(reading: Reading, task: Task) -> str:
    """Return the digit, ``?`` if its probability is below a limit, or nothing for a blank picture."""
    if reading.digit is None:
        return ""
    return UNCERTAIN if reading.probability < task.reject_below else str(reading.digit)


def shown_string(row: RowReading, task: Task) -> str:
    """Return the digits of a row, ``?`` for each whose probability is below a limit."""
    if task.reject_below <= 0:
        return row.string
    return "".join(UNCERTAIN if one.probability < task.reject_below else str(one.digit) for one in row.digits)


def to_json(read: FileReading, task: Task) -> dict[str, Any]:
    """Return the JSON object of a picture that was read; ``rejected`` is added where a limit is set."""
    file = printable(read.file)
    if read.rows is not None:
        return {"file": file, "rows": [_row_to_json(row, task) for row in read.rows]}
    if read.reading is None:
        return {"file": file, "error": read.error}
    reading = read.reading
    rejected = {"rejected": reading.probability < task.reject_below} if task.reject_below > 0 else {}
    return {
        "file": file,
        "digit": reading.digit,
        "probability": reading.probability,
        "probabilities": reading.probabilities.tolist(),
        "is_digit": reading.is_digit,
        "score": reading.score,
        **rejected,
    }


def _row_to_json(row: RowReading, task: Task) -> dict[str, Any]:
    digits = [{"digit": one.digit, "probability": one.probability, "box": [*one.box]} for one in row.digits]
    return {"string": shown_string(row, task), "probability": row.probability, "digits": digits}


def to_rows(read: FileReading, task: Task) -> Iterator[tuple[object, ...]]:
    """Yield the rows of a picture in a table with `columns`: one, or one for each row of digits, but at least one."""
    file = printable(read.file)
    if read.reading is not None:
        yield file, *_digit_cells(read.reading, task), ""
    elif read.rows:
        yield from ((file, i, *_row_cells(row, task), "") for i, row in enumerate(read.rows, 1))
    else:
        blanks = len(columns(task)) - 2
        yield file, *[""] * blanks, read.error or ""


def _digit_cells(reading: Reading, task: Task) -> tuple[object, ...]:
    probabilities = [f"{p:.6f}" for p in (reading.probability, *reading.probabilities)]
    own = (shown_digit(reading, task), probabilities[0], str(reading.is_digit).lower(), f"{reading.score:.4f}")
    return (*own, *probabilities[1:])


def _row_cells(row: RowReading, task: Task) -> tuple[object, ...]:
    left = min((one.box[0] for one in row.digits), default=0)
    top = min((one.box[1] for one in row.digits), default=0)
    right = max((one.box[0] + one.box[2] for one in row.digits), default=0)
    bottom = max((one.box[1] + one.box[3] for one in row.digits), default=0)
    each = " ".join(f"{one.probability:.6f}" for one in row.digits)
    return (shown_string(row, task), f"{row.probability:.6f}", each, left, top, right - left, bottom - top)
