"""What a measurement found, and how it is printed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Finding:
    """A measured number and what was expected of it.

    Attributes
    ----------
    text
        What was measured, with its spread.
    expected
        The bound, in words.
    met
        Whether the bound holds; None where it is not meant for this machine.
    """

    text: str
    expected: str
    met: bool | None

    def __str__(self) -> str:
        verdict = {True: "met", False: "missed", None: "not meant for this machine"}[self.met]
        return f"{self.text}; expected {self.expected}: {verdict}"


@dataclass(frozen=True)
class Report:
    """A table, what follows from it, and the numbers behind both.

    Attributes
    ----------
    title
        What was measured on what.
    headers, rows
        The table; the first column names, the others are numbers.
    findings
        The ratios and shares.
    numbers
        Every measured value, as JSON values.
    """

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    findings: tuple[Finding, ...]
    numbers: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return findings and numbers as one JSON object."""
        return {"title": self.title, "findings": [asdict(finding) for finding in self.findings], **self.numbers}


def print_report(report: Report, console: Console) -> None:
    """Print the table as Markdown, and the findings below it."""
    table = Table(box=MARKDOWN)
    for i, header in enumerate(report.headers):
        table.add_column(header, justify="right" if i else "left", no_wrap=True)
    for row in report.rows:
        table.add_row(*row)
    console.print(f"\n{report.title}", markup=False)
    console.print(table)
    for finding in report.findings:
        console.print(f"* {finding}", markup=False)
