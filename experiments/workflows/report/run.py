"""Write a report of an experiment: the page, its pictures, and its numbers as JSON and Markdown."""

import json
import shutil
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp

from experiments.errors import DigitsError
from experiments.execution.progress import Progress
from experiments.reporting.page.content import Report, ReportSection, RunSource
from experiments.reporting.page.lead import report_lead, report_title
from experiments.reporting.page.page import report_page
from experiments.reporting.page.results import report_results, results_markdown
from experiments.tracking import PastRun, Store
from experiments.tracking.provenance import code_commit
from experiments.workflows.report.assets import PAGES, PICTURES, PREVIEWS, ReportAssets
from experiments.workflows.report.data import ReportData, read_data
from experiments.workflows.report.run_index import named_runs, repeat_command
from experiments.workflows.report.sections import SECTIONS

PAGE, RESULTS, MARKDOWN = "index.html", "results.json", "RESULTS.md"
# In the order in which they are moved: the first shows that a report wrote the others.
FILES = (RESULTS, PICTURES, PREVIEWS, PAGES, MARKDOWN, PAGE)
TEMPORARY = ".report-"
ABANDONED_SECONDS = 24 * 3600
OUTDATED, MISSING = "runs of an older version", "runs without the data of some results, figures or texts"


@dataclass(frozen=True)
class ReportResult:
    """The files of a report and its size.

    Attributes
    ----------
    output, page, results
        Paths of the folder, the page and ``results.json``.
    networks, pictures, runs
        Numbers of networks, pictures and runs in the report.
    left_out
        By title of each empty section, the command that makes the missing runs.
    missing
        By id of each run whose results, figures or texts are missing or damaged, the command that makes it again.
    """

    output: str
    page: str
    results: str
    networks: int
    pictures: int
    runs: int
    left_out: Mapping[str, str]
    missing: Mapping[str, str]


def report(store: Store, output: Path, progress: Progress | None = None) -> ReportResult:
    """Write a report from the runs of an experiment. Figures are drawn anew, and nothing else is computed again.

    The files are replaced in one step: an interrupted report leaves the previous one unchanged.

    Parameters
    ----------
    output
        The folder, created if it does not exist. Other files in it are kept.

    Raises
    ------
    DigitsError
        If no network has been trained, tables are missing from the store, or the folder holds files of the same names
        that no report wrote.
    """
    progress = progress or Progress()
    progress.stage("report: read the runs")
    data = read_data(store)
    if not any(index.networks for index in data.indices):
        left_out = f"; {text}" if (text := named_runs(OUTDATED, data.outdated)) else ""
        raise DigitsError(
            f"no network has been trained in {store.experiment}; run: digits run --profile quick{left_out}"
        )
    _check_free(output)
    fresh = _make_folder(output)
    try:
        progress.stage("report: draw the pictures")
        content, missing = write_report(store, data, data.read, fresh)
        _swap(fresh, output)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    if content.left_out:
        progress.log(f"left out {content.left_out}")
    return ReportResult(
        output=str(output),
        page=str(output / PAGE),
        results=str(output / RESULTS),
        networks=sum(len(index.networks) for index in data.indices),
        pictures=len(content.pictures),
        runs=len(content.sources),
        left_out={section.title: section.command for section in content.sections if not section.blocks},
        missing={run.id: repeat_command(run) for run in missing},
    )


def write_report(store: Store, data: ReportData, written: datetime, folder: Path) -> tuple[Report, list[PastRun]]:
    """Write all files of a report to an empty folder.

    Parameters
    ----------
    written
        Time after which no run was considered.

    Returns
    -------
    tuple
        The content of the report, and the runs some of whose results, figures or texts are missing or damaged.
    """
    assets = ReportAssets(store, folder)
    sections = assets.finish([build(data, assets) for build in SECTIONS])
    tables = [table for section in sections for table in section.tables]
    missing = list(({run.id: run for run in data.lost} | assets.missing).values())
    left_out = [named_runs(OUTDATED, data.outdated), named_runs(MISSING, missing)]
    content = Report(
        title=report_title(tables),
        lead=report_lead(tables),
        written=written.isoformat(timespec="milliseconds"),
        commit=code_commit() or "",
        experiment=store.experiment,
        sections=sections,
        curves=data.curves,
        sources=_sources(data, sections),
        left_out="; ".join(text for text in left_out if text),
    )
    results = report_results(content)
    (folder / RESULTS).write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (folder / MARKDOWN).write_text(results_markdown(results), encoding="utf-8")
    (folder / PAGE).write_text(report_page(content), encoding="utf-8")
    return content, missing


def _sources(data: ReportData, sections: Iterable[ReportSection]) -> dict[str, RunSource]:
    """Return the runs of the sections by id, in order."""
    run_ids = dict.fromkeys(run_id for section in sections for run_id in section.run_ids)
    return {run_id: run_source(data.runs[run_id]) for run_id in run_ids}


def run_source(run: PastRun) -> RunSource:
    """Describe a run for the reader."""
    seed = run.params.get("seed", run.params.get("setting_seed", ""))
    date = run.began.isoformat(timespec="seconds")
    return RunSource(run.id, run.kind, run.name, run.command, run.commit, date, run.machine, seed)


def _check_free(output: Path) -> None:
    """Raise an error if the folder holds files of these names that no report wrote."""
    if output.exists() and not output.is_dir():
        raise DigitsError(f"{output} is not a folder; choose another with --output")
    taken = [name for name in FILES if (output / name).exists()]
    ours = (output / RESULTS).exists() or any(output.glob(f"{TEMPORARY}*/{RESULTS}"))  # the second after a kill
    if taken and not ours:
        raise DigitsError(f"{output} holds {', '.join(taken)} that no report wrote; choose another with --output")


def _make_folder(output: Path) -> Path:
    """Create an empty folder within the output folder, from which files can be moved by renaming.

    Old folders of reports that were killed are removed.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        for path in output.glob(f"{TEMPORARY}*"):
            if path.stat().st_mtime < time.time() - ABANDONED_SECONDS:
                shutil.rmtree(path, ignore_errors=True)
        return Path(mkdtemp(prefix=TEMPORARY, dir=output))
    except OSError as error:
        raise DigitsError(f"cannot write to {output}: {error.strerror}") from error


def _swap(fresh: Path, output: Path) -> None:
    """Replace the old files by the new ones; restore the old ones if interrupted."""
    old = Path(mkdtemp(prefix=TEMPORARY, dir=output))
    try:
        for name in FILES:
            with suppress(FileNotFoundError):
                (output / name).rename(old / name)
            (fresh / name).rename(output / name)
    except BaseException:
        for name in FILES:
            if not (fresh / name).exists():
                _remove(output / name)
            if (old / name).exists():
                (old / name).rename(output / name)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _remove(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
