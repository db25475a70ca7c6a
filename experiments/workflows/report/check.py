"""Compare a report that was kept with the tracking store."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from experiments import reporting, tracking
from experiments.errors import DigitsError
from experiments.reporting.report_content import machines, seeds
from experiments.tracking import PastRun, Store
from experiments.tracking.past_runs import metric_history
from experiments.workflows.report.run import MARKDOWN, RESULTS, source

NAMED = 5  # differences in the error

Counted = tuple[str, str, str, float]  # what a number is, its run, its metric, its value


@dataclass(frozen=True)
class CheckResult:
    """How many numbers of a file were compared, all of which agree."""

    file: str
    numbers: int
    runs: int
    agrees: bool = True


class ReportDiffersError(DigitsError):
    """Some numbers are not those of the tracking store; its text names the first of them."""

    def __init__(self, file: Path, differences: list[str]) -> None:
        self.differences = differences
        more = f"; and {len(differences) - NAMED} more" if len(differences) > NAMED else ""
        super().__init__(f"{file} differs from the tracking store: {'; '.join(differences[:NAMED])}{more}")


def check(store: Store, file: Path) -> CheckResult:
    """Compare a report with the runs that it names.

    Each number of its tables, its curves and those that captions name must be the run's; what it tells of the runs
    (command, commit, date, machine, seed) must be so, title and lead must be what the tables make, and the Markdown
    what the whole makes.

    Parameters
    ----------
    file
        A report's ``results.json``, or the ``RESULTS.md`` beside one; the other is compared too if it is there.

    Raises
    ------
    DigitsError
        When there is no such file or it is none of a report.
    ReportDiffersError
        When anything differs.
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
    differences += _account_differences(results, runs)
    beside = place.with_name(MARKDOWN)
    if beside.exists():
        differences += _text_differences(beside, markdown)
    if differences:
        raise ReportDiffersError(file, differences)
    return CheckResult(str(file), len(numbers), len({counted[1] for counted in numbers}))


def _read(file: Path) -> tuple[dict[str, Any], list[Counted], str]:
    """Return a report's results, all numbers in them, and the Markdown that they make."""
    try:
        results = json.loads(file.read_text(encoding="utf-8"))
        if results["format"] != reporting.FORMAT:
            raise DigitsError(f"{file} has format {results['format']}, this version reads {reporting.FORMAT}")
        return results, list(_numbers(results)), reporting.results_markdown(results)
    except OSError as error:
        raise DigitsError(f"cannot read {file}: {error.strerror}; name the results.json of a report") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DigitsError(f"{file} is no results.json of a report") from error


def _numbers(results: Mapping[str, Any]) -> Iterator[Counted]:
    """Yield all numbers of tables and captions."""
    for table in results["tables"]:
        for row in table["rows"]:
            for key, number in row["numbers"].items():
                yield f"{table['name']}, {row['name']}, {key}", number["run_id"], number["metric"], number["value"]
    for picture in results["pictures"]:
        for key, number in picture["numbers"].items():
            yield f"{picture['file']}, {key}", number["run_id"], number["metric"], number["value"]


def _difference(counted: Counted, run: PastRun | None) -> str | None:
    """Return what is wrong with a number, or None where it is the store's."""
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


def _account_differences(results: Mapping[str, Any], runs: Mapping[str, PastRun | None]) -> Iterator[str]:
    """Yield what is said of the runs, or said first, and is not so."""
    sources = {run_id: source(run) for run_id in results["runs"] if (run := runs[run_id])}
    for run_id, told in results["runs"].items():
        kept = asdict(sources[run_id]) if run_id in sources else {}
        if told != kept:
            wrong = next(key for key in {**kept, **told} if told.get(key) != kept.get(key))
            yield f"run {run_id}: {wrong} is {told.get(wrong)!r} here, {kept.get(wrong)!r} in the store"
    tables = reporting.results_tables(results)
    expected = {
        "title": reporting.report_title(tables),
        "lead": reporting.report_lead(tables),
        "machines": list(machines(sources.values())),
        "seeds": list(seeds(sources.values())),
    }
    yield from (f"{name}: not what the runs say" for name, value in expected.items() if results[name] != value)


def _text_differences(markdown: Path, expected: str) -> Iterator[str]:
    """Yield the first line of the Markdown that the numbers do not make."""
    lines = markdown.read_text(encoding="utf-8").splitlines()
    for number, (line, own) in enumerate(zip_longest(lines, expected.splitlines()), start=1):
        if line != own:
            yield f"{markdown.name}, line {number}: not what {RESULTS} says"
            return
