"""Title and first sentences of a report, made from its tables alone, so that they can be checked against them."""

from collections.abc import Iterator, Mapping, Sequence

from experiments.reporting.page.content import Table
from experiments.reporting.page.formatting import interval_text, number_text

TITLE = "Handwritten digits"
NETWORKS, ENSEMBLES = "networks-", "ensembles-"  # prefixes of table names, before the name of the dataset


def report_title(tables: Sequence[Table]) -> str:
    """Write the title: the number of networks and the datasets."""
    trained = [table for table in tables if table.name.startswith(NETWORKS)]
    names = {row.name for table in trained for row in table.rows}
    data = " and ".join(table.name.removeprefix(NETWORKS) for table in trained)
    return f"{TITLE}: {len(names)} network{'s' if len(names) > 1 else ''} on {data}"


def report_lead(tables: Sequence[Table]) -> str:
    """Write the best accuracy on each dataset in sentences."""
    return " ".join(_sentences({table.name: table for table in tables}))


def _sentences(tables: Mapping[str, Table]) -> Iterator[str]:
    for name, table in tables.items():
        if name.startswith(NETWORKS):
            dataset = name.removeprefix(NETWORKS)
            yield _best_network(dataset, table)
            if ENSEMBLES + dataset in tables:
                yield _best_ensemble(dataset, tables[ENSEMBLES + dataset])


def _best_network(dataset: str, table: Table) -> str:
    """Describe the most accurate network of a table."""
    measured = [row for row in table.rows if "accuracy" in row.cells]
    if not measured:
        return f"No network was evaluated on the {dataset} test digits yet."
    best = measured[0]
    accuracy = number_text(best.cells["accuracy"].value, "share")
    interval = interval_text(best.cells["accuracy"], "share")
    if len(measured) == 1:
        return f"{best.name} has {accuracy} % accuracy on the {dataset} test digits (95 % interval {interval})."
    selection = f"not corrected for the selection of the best of {len(measured)}"
    return (
        f"{best.name} has the highest accuracy of the {len(measured)} networks on the {dataset} test digits: "
        f"{accuracy} % (95 % interval {interval}, {selection})."
    )


def _best_ensemble(dataset: str, table: Table) -> str:
    """Describe the most accurate ensemble of a table."""
    first, *others = table.rows
    measured = f"{number_text(first.cells['accuracy'].value, 'share')} % accuracy on the {dataset} test digits"
    if not others:
        return f"An ensemble of {first.name} has {measured}."
    return f"The best of {len(table.rows)} ensembles, of {first.name}, has {measured}."
