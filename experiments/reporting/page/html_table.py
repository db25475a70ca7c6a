"""Tables of a report as HTML."""

import html
from collections.abc import Mapping, Sequence

from experiments.reporting.figure_parts.style import network_color
from experiments.reporting.page.content import Column, Number, Row, Table
from experiments.reporting.page.formatting import best_rows, interval_text, number_text, unit_text

SORTED = "Click a column heading to sort."


def table_html(table: Table) -> str:
    """Write a sortable table with the best number of each column in bold."""
    best = {column.key: best_rows(table, column) for column in table.columns}
    heads = "".join(_head(column) for column in table.columns)
    rows = "\n".join(_row(row, table.columns, {key for key, of in best.items() if row in of}) for row in table.rows)
    words = " ".join(part for part in (table.note, SORTED if len(table.rows) > 1 else "") if part)
    note = f'\n<p class="note">{html.escape(words)}</p>' if words else ""
    title = html.escape(table.title)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{title}">\n'
        f'<table id="table-{html.escape(table.name)}"><caption>{title}</caption>\n<thead><tr>'
        f'<th scope="col"><button type="button">Network</button></th>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>'
        f"\n</table></div>{note}"
    )


def _head(column: Column) -> str:
    first = "ascending" if column.better == "low" else "descending"
    hint = f' title="{html.escape(column.hint)}"' if column.hint else ""
    unit = f"<small>{unit}</small>" if (unit := unit_text(column.unit)) else ""
    return (
        f'<th scope="col" class="number" data-first="{first}"{hint}><button type="button">{html.escape(column.title)}'
        f"</button>{unit}</th>"
    )


def _row(row: Row, columns: Sequence[Column], best: set[str]) -> str:
    name, color = html.escape(row.name), html.escape(network_color(row.name))
    note = f"<small>{html.escape(row.note)}</small>" if row.note else ""
    cells = "".join(_cell(row.numbers, column, column.key in best) for column in columns)
    return (
        f'<tr><th scope="row" data-value="{name}"><span class="swatch" style="--color:{color}"></span>{name}{note}'
        f"</th>{cells}</tr>"
    )


def _cell(numbers: Mapping[str, Number], column: Column, best: bool) -> str:
    number = numbers.get(column.key)
    if number is None:
        return '<td class="number"><span aria-label="not measured">\N{EN DASH}</span></td>'
    interval = interval_text(numbers, column)
    text = number_text(number.value, column.unit) + (f"<small>{interval}</small>" if interval else "")
    return f'<td class="number{" best" if best else ""}" data-value="{number.value!r}">{text}</td>'
