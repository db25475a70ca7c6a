"""Write a report of all that the tracking store knows: a page, its pictures, and its numbers for programs."""

import json
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp

from experiments import reporting, tracking
from experiments.errors import DigitsError
from experiments.execution.progress import Progress
from experiments.reporting.report_content import Chapter, Report, Source
from experiments.tracking import PastRun, Store
from experiments.tracking.provenance import code_commit
from experiments.workflows.report.album import PAGES, PICTURES, Album
from experiments.workflows.report.chapters import (
    calibration_chapter,
    costs_chapter,
    learning_curves,
    mistakes_chapter,
    networks_chapter,
    training_chapter,
)
from experiments.workflows.report.evidence import Evidence, gather
from experiments.workflows.report.insights import (
    confusing_chapter,
    features_chapter,
    searches_chapter,
    transfer_chapter,
)
from experiments.workflows.report.tables import networks_table

PAGE, RESULTS, MARKDOWN = "index.html", "results.json", "RESULTS.md"
FILES = (RESULTS, PICTURES, PAGES, MARKDOWN, PAGE)  # moved in this order: where the first is, a report wrote the others
BESIDE = ".report-"
ABANDONED_SECONDS = 24 * 3600


@dataclass(frozen=True)
class ReportResult:
    """What was written.

    Attributes
    ----------
    output, page, results
        The folder, and the paths of the page and of its numbers.
    networks, pictures, runs
        How many the report tells of.
    left_out
        The command that makes what is missing, by the title of each chapter that is empty.
    """

    output: str
    page: str
    results: str
    networks: int
    pictures: int
    runs: int
    left_out: Mapping[str, str]


def report(store: Store, output: Path, progress: Progress | None = None) -> ReportResult:
    """Write a report from the runs of an experiment; nothing is computed anew.

    The folder is filled as one step: a report that is interrupted leaves the one before as it was.

    Parameters
    ----------
    output
        The folder, made if it does not exist. What else is in it stays.

    Raises
    ------
    DigitsError
        When no network was trained yet, files are gone from the store, or the folder holds files of these names that
        no report wrote.
    """
    progress = progress or Progress()
    progress.stage("report: read the runs")
    evidence = gather(store)
    if not any(each.networks for each in evidence):
        raise DigitsError(f"no network was trained yet in {store.experiment}; run: digits run --profile quick")
    _check_free(output)
    fresh = _made_beside(output)
    try:
        progress.stage("report: gather tables and pictures")
        told = _report(store, evidence, fresh)
        results = reporting.report_results(told)
        (fresh / RESULTS).write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        (fresh / MARKDOWN).write_text(reporting.results_markdown(results), encoding="utf-8")
        (fresh / PAGE).write_text(reporting.report_page(told), encoding="utf-8")
        _swap(fresh, output)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return ReportResult(
        output=str(output),
        page=str(output / PAGE),
        results=str(output / RESULTS),
        networks=sum(len(each.networks) for each in evidence),
        pictures=len(told.pictures),
        runs=len(told.sources),
        left_out={chapter.title: chapter.command for chapter in told.chapters if not chapter.blocks},
    )


def _report(store: Store, evidence: Sequence[Evidence], folder: Path) -> Report:
    album = Album(store, folder)
    summaries = {each.dataset: networks_table(each) for each in evidence if each.networks}
    curves = tuple(learning_curves(store, evidence))
    chapters = (
        networks_chapter(evidence, summaries, album),
        costs_chapter(evidence, summaries, album),
        training_chapter(evidence, curves, album),
        mistakes_chapter(evidence, album),
        calibration_chapter(evidence, album),
        features_chapter(evidence, album),
        confusing_chapter(evidence, album),
        transfer_chapter(evidence, album),
        searches_chapter(evidence, album),
    )
    tables = [table for chapter in chapters for table in chapter.tables]
    return Report(
        title=reporting.report_title(tables),
        lead=reporting.report_lead(tables),
        written=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=code_commit() or "",
        experiment=store.experiment,
        chapters=chapters,
        curves=curves,
        sources=_sources(store, chapters),
    )


def _sources(store: Store, chapters: Iterable[Chapter]) -> dict[str, Source]:
    """Return the runs that a report names, in order."""
    named = dict.fromkeys(run_id for chapter in chapters for run_id in _named(chapter))
    found = {run_id: tracking.past_run(store, run_id) for run_id in named}
    return {run_id: source(run) for run_id, run in found.items() if run}


def _named(chapter: Chapter) -> Iterable[str]:
    for block in chapter.blocks:
        for table in block.tables:
            yield from (number.run_id for row in table.rows for number in row.numbers.values())
        for picture in block.pictures:
            yield from picture.run_ids
        yield from (link.run_id for link in block.links)
        yield from (passage.run_id for passage in block.passages)


def source(run: PastRun) -> Source:
    """Return what a report tells of a run."""
    seed = run.params.get("seed", run.params.get("setting_seed", ""))
    date = run.began.isoformat(timespec="seconds")
    return Source(run.id, run.kind, run.name, run.command, run.commit, date, run.machine, seed)


def _check_free(output: Path) -> None:
    """Refuse a folder in which files of these names are somebody else's."""
    if output.exists() and not output.is_dir():
        raise DigitsError(f"{output} is no folder; name another with --output")
    taken = [name for name in FILES if (output / name).exists()]
    ours = (output / RESULTS).exists() or any(output.glob(f"{BESIDE}*/{RESULTS}"))  # the second of one that was killed
    if taken and not ours:
        raise DigitsError(f"{output} holds {', '.join(taken)} that no report wrote; name another folder with --output")


def _made_beside(output: Path) -> Path:
    """Return an empty folder within the output folder, from which files can be moved to their place in one step.

    Such folders of reports that were killed are removed.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        for place in output.glob(f"{BESIDE}*"):
            if place.stat().st_mtime < time.time() - ABANDONED_SECONDS:
                shutil.rmtree(place, ignore_errors=True)
        return Path(mkdtemp(prefix=BESIDE, dir=output))
    except OSError as error:
        raise DigitsError(f"cannot write to {output}: {error.strerror}") from error


def _swap(fresh: Path, output: Path) -> None:
    """Put the new files in the place of the old ones; when that is interrupted the old ones come back."""
    old = Path(mkdtemp(prefix=BESIDE, dir=output))
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
