"""The offline page of a report: tables, pictures and texts, each with the run behind it."""

from experiments.offline_page import page_templates, read_assets
from experiments.reporting.figure_parts.style import network_color
from experiments.reporting.page.content import Picture, Report
from experiments.reporting.page.formatting import best_rows, interval_text, number_text, unit_text
from experiments.reporting.page.prose import markdown_html

PACKAGE = "experiments.reporting.page"
WIDE, FULL = 2.25, 1150  # aspect ratio and pixels of width, above which a picture has a row of its own
LARGE = 950  # pixels of width, above which a phone scrolls a picture instead of shrinking it
ID_CHARACTERS = 8  # of a run id or a commit
MOST_NAMED = 3  # facts of one kind, above which only their number is shown


def report_page(report: Report) -> str:
    """Build the page. It loads nothing but the pictures next to it.

    Text from runs is escaped. The same report gives the same page.
    """
    templates = page_templates(PACKAGE)
    templates.globals.update(best_rows=best_rows, interval_text=interval_text, number_text=number_text)
    templates.filters.update(
        color=network_color,
        layout=_layout,
        markdown=markdown_html,
        short_id=short_id,
        unbroken=_unbroken,
        unit=unit_text,
    )
    return templates.get_template("page.html").render(
        report=report,
        title=report.title,
        facts=facts(report),
        pictures=_picture_files(report),
        style=read_assets(PACKAGE, "page.css"),
        script=read_assets(PACKAGE, "page.js", "viewer.js"),
    )


def facts(report: Report) -> dict[str, str]:
    """Return the facts about the whole report by name."""
    commits = dict.fromkeys(short_id(source.commit) for source in report.sources.values() if source.commit)
    known = {
        "Written": f"{report.written[:10]} {report.written[11:16]} UTC",
        "Code of the report": short_id(report.commit),
        "Code of the runs": _named_or_counted(tuple(commits), "commits"),
        "Experiment": report.experiment,
        "Machine": _named_or_counted(report.machines, "machines"),
        "Seeds": ", ".join(report.seeds),
        "Left out": report.left_out,
    }
    return {name: text for name, text in known.items() if text}


def short_id(text: str) -> str:
    """Abbreviate a run id or a commit; a suffix such as ``-dirty`` is kept."""
    digits, dash, suffix = text.partition("-")
    return f"{digits[:ID_CHARACTERS]}{dash}{suffix}"


def _named_or_counted(texts: tuple[str, ...], kind: str) -> str:
    return ", ".join(texts) if len(texts) <= MOST_NAMED else f"{len(texts)} {kind}"


def _picture_files(report: Report) -> dict[str, list[str]]:
    """Return the picture files that each run has data in."""
    found: dict[str, list[str]] = {run_id: [] for run_id in report.sources}
    for picture in report.pictures:
        for run_id in picture.run_ids:
            found[run_id].append(picture.file)
    return found


def _layout(picture: Picture) -> str:
    """Return the CSS classes of a picture's layout."""
    wide = picture.width > min(WIDE * picture.height, FULL)
    return " ".join(name for name, holds in {"wide": wide, "large": picture.width > LARGE}.items() if holds)


def _unbroken(text: str) -> str:
    """Keep numbers and their percent signs on one line."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")
