"""The numbers of a report as JSON, and the Markdown summary made from that JSON alone."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from experiments.reporting.page.content import CELL_COLUMNS, Column, Report, Row, Table
from experiments.reporting.page.formatting import best_rows, interval_text, number_text, unit_text
from experiments.reporting.page.lead import NETWORKS
from experiments.results import COLUMNS, markdown_table

FORMAT = 2
SHOWN = ("key", "title", "unit", "better", "hint")  # of a column: its query is the program's own


def report_results(report: Report) -> dict[str, Any]:
    """Return all numbers of a report, each with its run, and the runs, as JSON values."""
    return {
        "format": FORMAT,
        "title": report.title,
        "lead": report.lead,
        "written": report.written,
        "commit": report.commit,
        "experiment": report.experiment,
        "machines": list(report.machines),
        "seeds": list(report.seeds),
        "tables": [_table_to_json(table) for table in report.tables],
        "curves": [asdict(curve) for curve in report.curves],
        "pictures": [asdict(picture) for picture in report.pictures],
        "texts": [
            {"section": section.title, **asdict(passage)}
            for section in report.sections
            for block in section.blocks
            for passage in block.passages
        ],
        "runs": {run_id: asdict(source) for run_id, source in report.sources.items()},
    }


def results_markdown(results: Mapping[str, Any]) -> str:
    """Write the result of `report_results` as Markdown: tables, main pictures, runs."""
    tables = results_tables(results)
    pictures = [picture for picture in results["pictures"] if picture["main"]]
    parts = [
        f"# {results['title']}",
        results["lead"],
        _made(results),
        *(part for table in tables for part in _table_parts(table)),
        "## Pictures",
        *(f"![{_plain(picture['alt'])}]({picture['file']})\n\n{picture['caption']}" for picture in pictures),
        "## Runs",
        "Each command, at its commit, makes the run again.",
        _runs(results["runs"].values()),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def networks_markdown(results: Mapping[str, Any], dataset: str, keys: Collection[str]) -> str:
    """Write columns of the table of networks trained on a dataset as Markdown, without details: for the README."""
    (table,) = (one for one in results_tables(results) if one.name == NETWORKS + dataset)
    return _table_markdown(table, [column for column in table.columns if column.key in keys], details=False)


def results_tables(results: Mapping[str, Any]) -> tuple[Table, ...]:
    """Rebuild the tables from JSON."""
    return tuple(_table_from_json(table) for table in results["tables"])


def _table_to_json(table: Table) -> dict[str, Any]:
    cells = [
        {name: value for name, value in row.items() if not _is_empty(value)}
        for row in table.cells.astype({"seed": object, "n": object}).to_dict("records")
    ]
    columns = [{name: getattr(column, name) for name in SHOWN} for column in table.columns]
    return {"name": table.name, "title": table.title, "note": table.note, "columns": columns, "cells": cells}


def _table_from_json(data: Mapping[str, Any]) -> Table:
    import pandas as pd

    columns = tuple(Column(**column) for column in data["columns"])
    cells = pd.DataFrame(data["cells"], columns=[*COLUMNS, "run_id", *CELL_COLUMNS])
    texts = cells.select_dtypes(exclude="number").columns
    return Table(data["name"], data["title"], columns, cells.fillna(dict.fromkeys(texts, "")), data["note"])


def _is_empty(value: Any) -> bool:
    import pandas as pd

    return value == "" if isinstance(value, str) else bool(pd.isna(value))


def _made(results: Mapping[str, Any]) -> str:
    runs = list(results["runs"].values())
    lines = {
        "Written": f"{results['written'][:10]} by `digits report` at commit `{results['commit'] or 'unknown'}`; "
        "`digits report --check results.json` compares it with the tracking store",
        "Commands": ", ".join(f"`{one}`" for one in dict.fromkeys(run["command"] for run in runs if run["command"])),
        "Runs": " to ".join(dict.fromkeys([min(days), max(days)]))
        if (days := [run["date"][:10] for run in runs])
        else "",
        "Commits": ", ".join(f"`{one}`" for one in dict.fromkeys(run["commit"] for run in runs if run["commit"])),
        "Machine": "; ".join(results["machines"]) or "not recorded",
        "Seeds": ", ".join(results["seeds"]),
    }
    return "\n".join(f"* {name}: {text}" for name, text in lines.items() if text)


def _table_parts(table: Table) -> Iterator[str]:
    yield f"## {table.title}"
    yield _table_markdown(table, table.columns, details=True)
    yield table.note


def _table_markdown(table: Table, columns: Sequence[Column], details: bool) -> str:
    rows = table.rows
    best = {column.key: best_rows(rows, column) for column in columns}
    heads = ["network", *([""] if details else []), *(_head(column) for column in columns)]
    cells = [
        [
            row.name,
            *([row.detail] if details else []),
            *(_cell(row, column, row in best[column.key]) for column in columns),
        ]
        for row in rows
    ]
    return markdown_table(heads, cells)


def _head(column: Column) -> str:
    unit = unit_text(column.unit)
    return f"{column.title}, {unit}" if unit else column.title


def _cell(row: Row, column: Column, best: bool) -> str:
    cell = row.cells.get(column.key)
    if cell is None:
        return ""
    text, interval = number_text(cell.value, column.unit), interval_text(cell, column.unit)
    return (f"**{text}**" if best else text) + (f" ({interval})" if interval else "")


def _runs(runs: Sequence[Mapping[str, str]] | Any) -> str:
    heads = ("run", "what", "command", "commit", "date")
    rows = [
        (
            f"`{run['run_id']}`",
            run["name"] if run["name"].startswith(run["kind"]) else f"{run['kind']}: {run['name']}",
            f"`{run['command']}`",
            f"`{run['commit'][:12]}`",
            run["date"][:10],
        )
        for run in runs
    ]
    return markdown_table(heads, rows)


def _plain(text: str) -> str:
    return text.replace("[", "(").replace("]", ")")
