"""Tables on the terminal, or as plain lines in a file or a pipe."""

from collections.abc import Sequence

import rich.console
from rich.table import Table
from rich.text import Text

from experiments.results import is_numeric

UNLIMITED = 1_000_000  # columns: lines of a file or a pipe may have any length


def rich_console(stderr: bool) -> rich.console.Console:
    """Return a console on stdout or stderr."""
    console = rich.console.Console(stderr=stderr, highlight=False, soft_wrap=True, emoji=False)
    if not console.is_terminal:
        console.width = UNLIMITED
    return console


def laid_out(title: str, headers: Sequence[str], rows: Sequence[Sequence[object]], room: int) -> Table:
    """Build a table that is at most `room` characters wide."""
    table = Table(title=Text(title), title_justify="left")
    columns = [[header, *(str(row[i]) for row in rows)] for i, header in enumerate(headers)]
    borders = 3 * len(columns) + 1
    widths = _widths(columns, room - borders)
    for (header, *cells), width in zip(columns, widths, strict=True):
        table.add_column(header, justify="right" if is_numeric(cells) else "left", overflow="fold", width=width)
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    return table


def _widths(columns: Sequence[Sequence[str]], room: int) -> list[int]:
    """Return the width of each column: that of its widest cell, or less to fit into `room`; words are broken last."""
    from rich.cells import cell_len

    longest_words = [max(cell_len(word) for cell in column for word in ["", *cell.split()]) for column in columns]
    widths = [max(map(cell_len, column)) for column in columns]
    while sum(widths) > max(room, len(widths)):
        shrinkable = [(width > word, width) for width, word in zip(widths, longest_words, strict=True)]
        widths[shrinkable.index(max(shrinkable))] -= 1
    return widths
