"""Compare the numbers of a report with the tracking store."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from experiments import tracking
from experiments.errors import DigitsError
from experiments.reporting.page.content import machines, seeds
from experiments.reporting.page.lead import report_lead, report_title
from experiments.reporting.page.results import FORMAT, results_markdown, results_tables
from experiments.tracking import PastRun, Store
from experiments.tracking.past_runs import metric_history
from experiments.workflows.report.run import MARKDOWN, RESULTS, run_source

NAMED = 5  # differences in the error message

ReportedNumber = tuple[str, str, str, float]  # place in the report, run, metric, value


@dataclass(frozen=True)
class CheckResult:
    """A report that agrees with the store, with the numbers of values and runs compared."""

    file: str
    numbers: int
    runs: int
    agrees: bool = True


class ReportDiffersError(DigitsError):
    """Numbers of a report differ from the tracking store; the message names the first of them."""

    def __init__(self, file: Path, differences: list[str]) -> None:
        self.differences = differences
        more = f"; and {len(differences) - NAMED} more" if len(differences) > NAMED else ""
        super().__init__(f"{file} differs from the tracking store: {'; '.join(differences[:NAMED])}{more}")


def check(store: Store, file: Path) -> CheckResult:
    """Compare a report with its runs.

    Compares every number of tables, curves and captions, and the command, commit, date, machine and seed of every run.
    Title and lead must follow from the tables, and the Markdown from ``results.json``.

    Parameters
    ----------
    file
        ``results.json`` of a report, or ``RESULTS.md`` in the same folder; the Markdown is compared if it exists.

    Raises
    ------
    DigitsError
        If the file does not exist or is not of a report.
    ReportDiffersError
        If anything differs.
    """
    place = file.with_name(RESULTS) if file.name == MARKDOWN else file
    results, numbers, markdown = _read(place)
    named = dict.fromkeys([*(counted[1] for counted in numbers), *results["runs"]])
    runs = {run_id: tracking.past_run(store, run_id) for run_id in named}
    if runs and not any(runs.values()):
        raise DigitsError(f"none of the {len(runs)} runs of {file} is in the tracking store {store.uri}")
    found = [_difference(counted, runs[counted[1]]) for counted in numbers]
    differences = [difference for difference in found if difference]
    differences += _curve_differences(store, results)
    differences += _run_differences(results, runs)
    beside = place.with_name(MARKDOWN)
    if beside.exists():
        differences += _text_differences(beside, markdown)
    if differences:
        raise ReportDiffersError(file, differences)
    return CheckResult(str(file), len(numbers), len({counted[1] for counted in numbers}))


def _read(file: Path) -> tuple[dict[str, Any], list[ReportedNumber], str]:
    """Read the results of a report; return them with all their numbers and the Markdown made from them."""
    try:
        results = json.loads(file.read_text(encoding="utf-8"))
        if results["format"] != FORMAT:
            raise DigitsError(f"{file} has format {results['format']}, this version reads {FORMAT}")
        return results, list(_numbers(results)), results_markdown(results)
    except OSError as error:
        raise DigitsError(f"cannot read {file}: {error.strerror}; name the results.json of a report") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DigitsError(f"{file} is not the results.json of a report") from error


def _numbers(results: Mapping[str, Any]) -> Iterator[ReportedNumber]:
    """Yield all numbers of tables and captions."""
    for table in results["tables"]:
        for row in table["rows"]:
            for key, number in row["numbers"].items():
                yield f"{table['name']}, {row['name']}, {key}", number["run_id"], number["metric"], number["value"]
    for picture in results["pictures"]:
        for key, number in picture["numbers"].items():
            yield f"{picture['file']}, {key}", number["run_id"], number["metric"], number["value"]


def _difference(counted: ReportedNumber, run: PastRun | None) -> str | None:
    """Describe how a number differs from the store; None if it agrees."""
    what, run_id, metric, value = counted
    if run is None:
        return f"{what}: there is no run {run_id}"
    kept = run.metrics.get(metric)
    if kept is None:
        return f"{what}: run {run_id} has no {metric}"
    return None if kept == value else f"{what}: {value} here, {kept} in run {run_id}"


def _curve_differences(store: Store, results: Mapping[str, Any]) -> Iterator[str]:
    for curve in results["curves"]:
        kept = metric_history(store, curve["run_id"], curve["metric"])
        here = {int(step): value for step, value in curve["values"].items()}
        if kept != here:
            steps = [step for step in sorted(kept | here) if kept.get(step) != here.get(step)]
            yield f"{curve['network']}, {curve['metric']} at step {steps[0]}: not that of run {curve['run_id']}"


def _run_differences(results: Mapping[str, Any], runs: Mapping[str, PastRun | None]) -> Iterator[str]:
    """Yield differences in the description of the runs, and in title and lead."""
    sources = {run_id: run_source(run) for run_id in results["runs"] if (run := runs[run_id])}
    for run_id, reported in results["runs"].items():
        kept = asdict(sources[run_id]) if run_id in sources else {}
        if reported != kept:
            wrong = next(key for key in {**kept, **reported} if reported.get(key) != kept.get(key))
            yield f"run {run_id}: {wrong} is {reported.get(wrong)!r} here, {kept.get(wrong)!r} in the store"
    tables = results_tables(results)
    expected = {
        "title": report_title(tables),
        "lead": report_lead(tables),
        "machines": list(machines(sources.values())),
        "seeds": list(seeds(sources.values())),
    }
    yield from (f"{name}: does not follow from the runs" for name, value in expected.items() if results[name] != value)


def _text_differences(markdown: Path, expected: str) -> Iterator[str]:
    """Yield the first line of the Markdown that does not follow from the numbers."""
    lines = markdown.read_text(encoding="utf-8").splitlines()
    for number, (line, own) in enumerate(zip_longest(lines, expected.splitlines()), start=1):
        if line != own:
            yield f"{markdown.name}, line {number}: differs from {RESULTS}"
            return
