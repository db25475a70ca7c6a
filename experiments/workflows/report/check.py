"""Compare a report with the tracking store: write it again, and compare."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from experiments import tracking
from experiments.errors import DigitsError
from experiments.reporting.page.results import FORMAT, results_markdown
from experiments.reporting.picture_files import same_picture
from experiments.tracking import Store
from experiments.workflows.report.data import read_data
from experiments.workflows.report.run import MARKDOWN, RESULTS, write_report

NAMED = 5  # differences in the error message
FACTS = ("title", "lead", "experiment", "machines", "seeds")

Values = dict[str, Any]  # by what they are


@dataclass(frozen=True)
class CheckResult:
    """A report that agrees with the store, with the numbers of values, pictures and runs compared."""

    file: str
    numbers: int
    pictures: int
    runs: int
    agrees: bool = True


class ReportDiffersError(DigitsError):
    """A report differs from the tracking store; the message names the first differences."""

    def __init__(self, file: Path, differences: list[str]) -> None:
        self.differences = differences
        more = f"; and {len(differences) - NAMED} more" if len(differences) > NAMED else ""
        super().__init__(f"{file} differs from the tracking store: {'; '.join(differences[:NAMED])}{more}")


def check(store: Store, file: Path) -> CheckResult:
    """Write a report again from the runs that had ended when it was written, and compare both.

    Compares every number of tables and curves, all texts, the description of every run, the Markdown, and every picture
    that is there, pixel by pixel.

    Parameters
    ----------
    file
        ``results.json`` of a report, or ``RESULTS.md`` in the same folder.

    Raises
    ------
    DigitsError
        If the file does not exist or is not of a report, or the store has none of its runs.
    ReportDiffersError
        If anything differs.
    """
    place = file.with_name(RESULTS) if file.name == MARKDOWN else file
    published, written = _read(place)
    if not any(tracking.past_run(store, run_id) for run_id in published["runs"]):
        raise DigitsError(f"none of the {len(published['runs'])} runs of {file} is in the tracking store {store.uri}")
    with TemporaryDirectory() as folder:
        write_report(store, read_data(store, written), written, Path(folder))
        again = json.loads(Path(folder, RESULTS).read_text(encoding="utf-8"))
        pictures = [picture["file"] for picture in published["pictures"] if (place.parent / picture["file"]).exists()]
        differences = [
            *_differences(_values(published), _values(again)),
            *_picture_differences(place.parent, Path(folder), pictures),
            *_text_differences(place.with_name(MARKDOWN), results_markdown(published)),
        ]
    if differences:
        raise ReportDiffersError(file, differences)
    numbers = sum(isinstance(value, float | int) for value in _values(published).values())
    return CheckResult(str(file), numbers, len(pictures), len(published["runs"]))


def _read(file: Path) -> tuple[dict[str, Any], datetime]:
    """Read the results of a report, and when it was written."""
    try:
        published = json.loads(file.read_text(encoding="utf-8"))
        if published["format"] != FORMAT:
            raise DigitsError(f"{file} has format {published['format']}, this version reads {FORMAT}")
        _values(published)
        results_markdown(published)
        return published, datetime.fromisoformat(published["written"])
    except OSError as error:
        raise DigitsError(f"cannot read {file}: {error.strerror}; name the results.json of a report") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DigitsError(f"{file} is not the results.json of a report") from error


def _values(results: Mapping[str, Any]) -> Values:
    """Return all values of a report by what they are."""
    found: Values = {name: results[name] for name in FACTS}
    for table in results["tables"]:
        for cell in table["cells"]:
            place = ", ".join([table["name"], cell["network"], cell.get("detail", ""), cell["column"]])
            found |= {f"{place}: {name}" if name != "value" else place: value for name, value in cell.items()}
    for curve in results["curves"]:
        for step, value in curve["values"].items():
            found[f"{curve['network']}, {curve['metric']} at step {step}"] = value
    for picture in results["pictures"]:
        found[f"{picture['file']}: caption"] = picture["caption"]
    for text in results["texts"]:
        found[f"{text['section']}, {text['heading']}, run {text['run_id']}: text"] = text["markdown"]
    for run_id, run in results["runs"].items():
        found |= {f"run {run_id}: {name}": value for name, value in run.items()}
    return found


def _differences(published: Values, again: Values) -> Iterator[str]:
    for what in published | again:
        if what not in again:
            yield f"{what}: is not in the store"
        elif what not in published:
            yield f"{what}: is in the store alone"
        elif published[what] != again[what]:
            yield f"{what}: {published[what]!r} here, {again[what]!r} in the store"


def _picture_differences(here: Path, again: Path, pictures: list[str]) -> Iterator[str]:
    for picture in pictures:
        if (again / picture).exists() and not same_picture(here / picture, again / picture):
            yield f"{picture}: differs from what the store's data show"


def _text_differences(markdown: Path, expected: str) -> Iterator[str]:
    """Yield the first line of the Markdown, if there is one, that does not follow from the numbers."""
    lines = markdown.read_text(encoding="utf-8").splitlines() if markdown.exists() else expected.splitlines()
    for number, (line, own) in enumerate(zip_longest(lines, expected.splitlines()), start=1):
        if line != own:
            yield f"{markdown.name}, line {number}: differs from {RESULTS}"
            return
