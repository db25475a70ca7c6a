"""Tables as Markdown and CSV."""

import csv
import io
import re
from collections.abc import Mapping, Sequence


def markdown_table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Format a table in GitHub's Markdown, aligned in plain text too, with numeric columns on the right.

    Parameters
    ----------
    headers
        One for each column.
    rows
        Cells, formatted by ``str``; pipes, backslashes and line breaks are escaped, other Markdown is kept. May be
        empty.

    Raises
    ------
    ValueError
        If a row has another length than the headers.

    Examples
    --------
    >>> print(markdown_table(["model", "accuracy"], [["cnn", 0.991], ["mlp", 0.98]]))
    | model | accuracy |
    | :---- | -------: |
    | cnn   |    0.991 |
    | mlp   |     0.98 |
    """
    for row in rows:
        if len(row) != len(headers):
            raise ValueError(f"each row needs {len(headers)} cells, received {len(row)}: {list(row)}")
    lines = [[_escaped(cell) for cell in line] for line in (headers, *rows)]
    widths = [max(3, *(len(line[column]) for line in lines)) for column in range(len(headers))]
    numeric = [is_numeric([row[column] for row in rows]) for column in range(len(headers))]
    rule = [
        "-" * (width - 1) + ":" if right else ":" + "-" * (width - 1)
        for width, right in zip(widths, numeric, strict=True)
    ]
    return "\n".join(_line(cells, widths, numeric) for cells in (lines[0], rule, *lines[1:]))


def csv_text(rows: Sequence[Mapping[str, object]]) -> str:
    """Format rows as CSV (RFC 4180, but with line feeds), with their keys as header.

    Columns are in the order in which the rows first name them; missing values give empty cells.
    Floats keep all their digits. Texts must not contain carriage returns. No rows give an empty text.
    """
    columns = list(dict.fromkeys(name for row in rows for name in row))
    if not columns:
        return ""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def is_numeric(cells: Sequence[object]) -> bool:
    """Return whether all cells of a column are numbers, with or without commas between thousands."""
    return bool(cells) and all(_is_number(str(cell).replace(",", "")) for cell in cells)


def _escaped(cell: object) -> str:
    return re.sub(r"\r\n|\r|\n", "<br>", re.sub(r"([\\|])", r"\\\1", str(cell)))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = [
        cell.rjust(width) if to_right else cell.ljust(width)
        for cell, width, to_right in zip(cells, widths, right, strict=True)
    ]
    return "| " + " | ".join(padded) + " |"
