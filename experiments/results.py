"""The one schema for results: every number that a command measures is one row of a table with fixed columns.

Commands write the table to ``results.csv`` of their run and read it back; command-line tables, ``--json`` and reports
are queries on it. Other tables are written as Markdown and CSV here too.

>>> table = to_table([Result(ACCURACY, 0.99, model="lenet", target="mnist", low=0.988, high=0.992, n=10_000)])
>>> value(table, ACCURACY, model="lenet")
0.99
>>> scalars(table)
{'accuracy': 0.99, 'accuracy_low': 0.988, 'accuracy_high': 0.992}
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from math import isfinite, isnan, nan
from typing import TYPE_CHECKING, Any

from experiments.errors import DigitsError, first_line

if TYPE_CHECKING:
    import pandas as pd

FILE = "results.csv"

# Metrics that more than one command or the report uses. Others are named by the dataclass that holds them.
ACCURACY = "accuracy"
ACCURACY_LOW, ACCURACY_HIGH = "accuracy_low", "accuracy_high"
MACRO_F1 = "macro_f1"
TOP2 = "top2"
LOSS = "loss"
ECE = "ece"
ENTROPY = "entropy"
LATENCY_MS = "latency_ms"
IMAGES_PER_SECOND = "images_per_second"
PARAMETERS = "parameters"
SIZE_BYTES = "size_bytes"
SECONDS = "seconds"
TRAIN_SECONDS = "train_seconds"
VAL_ACCURACY, VAL_LOSS = "val_accuracy", "val_loss"
# The same of a training's best epoch. Summaries over seeds and trials have it under the short names.
BEST_VAL_ACCURACY, BEST_VAL_LOSS = f"best_{VAL_ACCURACY}", f"best_{VAL_LOSS}"
SOURCE_ACCURACY = "source_accuracy"
MEAN_CORRUPTION_ERROR = "mean_corruption_error"
VOTE_ACCURACY = "vote_accuracy"
MEMBERS_ACCURACY, MEMBERS_ACCURACY_STD = "members_accuracy", "members_accuracy_std"
MISCLASSIFIED_BY_ALL = "misclassified_by_all"
KNN_ACCURACY, TRUSTWORTHINESS = "knn_accuracy", "trustworthiness"
ARI, PURITY = "ari", "purity"
CONFUSING = "confusing"
BEST_VALUE = "best_value"
TRIALS, TRIALS_PRUNED, TRIALS_FAILED = "trials", "trials_pruned", "trials_failed"

SOURCE_ONLY = "none"
"""The method of a network that is used in a target domain as it was trained."""
ALIGN = "align"
"""The method of a network that is used with the alignment of the target's pictures that was fixed in advance."""


@dataclass(frozen=True)
class Result:
    """One number.

    Attributes
    ----------
    metric, value
        Name and value of the metric.
    model, version
        The network as the reader knows it (``lenet``, ``mlp (tuned)``), and its registered version
        (``mnist-lenet v3``) or the path of its file.
    source, target
        Dataset that the network was trained on, and dataset that it was measured on.
    split
        ``train``, ``validation`` or ``test``; ``both`` for train and test together.
    method
        What was done: an adaptation method, an alignment, a clustering method, ...
    group
        Part of the data, setting or stage that the number belongs to: a class, a corruption, a number of clusters, ...
    seed
        Of the training or the method.
    low, high
        Bounds of a 95 % interval.
    n
        Number of images that it was measured on.
    baseline, p
        In a comparison: the model or method compared with, and the p value (after Holm's correction if it is one of
        several).
    """

    metric: str
    value: float
    model: str = ""
    version: str = ""
    source: str = ""
    target: str = ""
    split: str = ""
    method: str = ""
    group: str = ""
    seed: int | None = None
    low: float = nan
    high: float = nan
    n: int | None = None
    baseline: str = ""
    p: float = nan


COLUMNS = (
    "model", "version", "source", "target", "split", "method", "group", "seed", "metric", "value", "low", "high", "n",
    "baseline", "p",
)  # fmt: skip
_INTEGERS = ("seed", "n")
_FLOATS = ("value", "low", "high", "p")
_TEXTS = tuple(column for column in COLUMNS if column not in (*_INTEGERS, *_FLOATS))


def tuned_label(architecture: str) -> str:
    """Return the name in tables of a network whose hyperparameters a search has found."""
    return f"{architecture} (tuned)"


def to_table(results: Iterable[Result]) -> "pd.DataFrame":
    """Build the table of results: one row per result, columns `COLUMNS`, nothing empty but numbers."""
    import pandas as pd

    return _typed(pd.DataFrame([asdict(result) for result in results], columns=[*COLUMNS]))


def to_csv(table: "pd.DataFrame") -> str:
    """Write the table as CSV text; floats keep all their digits."""
    return str(table.to_csv(index=False))


def from_csv(text: str) -> "pd.DataFrame":
    """Read the table from CSV text.

    Raises
    ------
    DigitsError
        If it is no CSV, its columns are not `COLUMNS`, or one of its numbers is none.
    """
    import pandas as pd

    try:
        table = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
        if list(table.columns) != [*COLUMNS]:
            raise DigitsError(f"results need the columns {', '.join(COLUMNS)}, received {', '.join(table.columns)}")
        for column in (*_INTEGERS, *_FLOATS):
            table[column] = table[column].where(table[column] != "")
        return _typed(table)
    except (ValueError, TypeError) as error:  # also pandas' errors of parsing
        raise DigitsError(f"damaged table of results: {first_line(error)}") from error


def _typed(table: "pd.DataFrame") -> "pd.DataFrame":
    kinds: dict[str, Any] = dict.fromkeys(_TEXTS, "str") | dict.fromkeys(_FLOATS, "float64")
    return table.astype(kinds | dict.fromkeys(_INTEGERS, "Int64"))


def select(table: "pd.DataFrame", **wanted: str | int | Sequence[str]) -> "pd.DataFrame":
    """Return the rows whose columns have the wanted values; a sequence stands for any of its members."""
    for column, values in wanted.items():
        accepted = [values] if isinstance(values, str | int) else [*values]
        table = table[table[column].isin(accepted)]
    return table


def value(table: "pd.DataFrame", metric: str, **wanted: str | int) -> float | None:
    """Return the value of the first row of a metric whose columns have the wanted values; None if there is none."""
    rows = select(table, metric=metric, **wanted)
    return float(rows["value"].iloc[0]) if len(rows) else None


def by_metric(table: "pd.DataFrame") -> dict[str, float]:
    """Return the values of a table with one row per metric, with intervals as ``METRIC_low`` and ``METRIC_high``.

    NaN is left out.
    """
    found: dict[str, float] = {}
    for metric, *numbers in table[["metric", "value", "low", "high"]].itertuples(index=False):
        found |= _with_bounds(metric, numbers)
    return found


def scalars(table: "pd.DataFrame") -> dict[str, float]:
    """Return all finite numbers under the names that MLflow shows, means over the seeds; see `scalar_name`.

    Models, targets and splits are part of the name if there are several in the table. Comparisons with a baseline are
    left out.
    """
    several = [column for column in ("model", "target", "split") if len({*table[column]} - {""}) > 1]
    keys = ["method", "group", *several, "metric"]
    means = table[table["baseline"] == ""].groupby(keys, sort=False)[["value", "low", "high"]].mean()
    found: dict[str, float] = {}
    for (*about, metric), *numbers in means.itertuples():
        named = _with_bounds(metric, numbers)
        found |= {scalar_name(name, *about): number for name, number in named.items() if isfinite(number)}
    return found


def _with_bounds(metric: str, numbers: Sequence[float]) -> dict[str, float]:
    """Return a value and the bounds of its interval by name, without NaN."""
    names = (metric, f"{metric}_low", f"{metric}_high")
    return {name: float(number) for name, number in zip(names, numbers, strict=True) if not isnan(number)}


def scalar_name(metric: str, *about: str) -> str:
    """Return the name of a number in MLflow: the metric, then what tells it apart: ``accuracy/shot``, ``recall/3``.

    The method ``none`` is left out. Characters that MLflow does not accept become underscores.
    """
    parts = [part for part in (metric, *about) if part not in ("", SOURCE_ONLY)]
    return "/".join("".join(c if c.isalnum() or c in "_-. " else "_" for c in part) for part in parts)


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
    return "\n".join(_row_line(cells, widths, numeric) for cells in (lines[0], rule, *lines[1:]))


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


def _row_line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = [
        cell.rjust(width) if to_right else cell.ljust(width)
        for cell, width, to_right in zip(cells, widths, right, strict=True)
    ]
    return "| " + " | ".join(padded) + " |"


assert {field.name for field in fields(Result)} == set(COLUMNS)  # noqa: S101 - one gives the order of the other
