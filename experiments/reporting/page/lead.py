"""What heads a report, made of its tables alone, so that it can be held against them."""

from collections.abc import Iterator, Mapping, Sequence

from experiments.reporting.page.content import Table
from experiments.reporting.page.formatting import interval_text, number_text

TITLE = "Handwritten digits"
NETWORKS, ENSEMBLES = "networks-", "ensembles-"  # what the names of these tables begin with, before that of their data


def report_title(tables: Sequence[Table]) -> str:
    """Return how many networks a report is about, and which data."""
    ours = [table for table in tables if table.name.startswith(NETWORKS)]
    names = {row.name for table in ours for row in table.rows}
    data = " and ".join(table.name.removeprefix(NETWORKS) for table in ours)
    return f"{TITLE}: {len(names)} network{'s' if len(names) > 1 else ''} on {data}"


def report_lead(tables: Sequence[Table]) -> str:
    """Return the most important numbers of each set of data, in sentences."""
    return " ".join(_sentences({table.name: table for table in tables}))


def _sentences(tables: Mapping[str, Table]) -> Iterator[str]:
    for name, table in tables.items():
        if name.startswith(NETWORKS):
            dataset = name.removeprefix(NETWORKS)
            yield _best(dataset, table)
            if ENSEMBLES + dataset in tables:
                yield _together(tables[ENSEMBLES + dataset])


def _best(dataset: str, table: Table) -> str:
    """Return a sentence on the most accurate network of a table."""
    best = next((row for row in table.rows if "accuracy" in row.numbers), None)
    if best is None:
        return f"No network was measured on the test digits of {dataset} yet."
    column = next(column for column in table.columns if column.key == "accuracy")
    accuracy = number_text(best.numbers["accuracy"].value, column.unit)
    interval = interval_text(best.numbers, column)
    measured = sum("accuracy" in row.numbers for row in table.rows)
    told = f"{accuracy} % of the test digits of {dataset} right"
    if measured == 1:
        return f"{best.name} gets {told} (95 % interval {interval})."
    without = f"which does not allow for its being the best of {measured}"
    return f"Of {measured} networks {best.name} gets the most, {told} (95 % interval {interval}, {without})."


def _together(table: Table) -> str:
    """Return a sentence on the most accurate ensemble of a table."""
    first = table.rows[0]
    told = f"{number_text(first.numbers['accuracy'].value, 'share')} % right"
    if len(table.rows) == 1:
        return f"An ensemble of {first.name} gets {told}."
    return f"Of {len(table.rows)} ensembles one of {first.name} gets the most, {told}."
