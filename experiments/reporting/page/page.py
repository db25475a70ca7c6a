"""The offline page of a report: tables, pictures and texts, each with the run behind it."""

import html
import re
from collections.abc import Iterable, Sequence

from experiments.reporting.page.content import Block, Link, Passage, Picture, Report, ReportSection, RunSource
from experiments.reporting.page.html_table import table_html
from experiments.reporting.page.offline_page import fill_template, read_asset, script_digest
from experiments.reporting.page.prose import as_html

PACKAGE = "experiments.reporting.page"
WIDE, FULL = 2.25, 1150  # aspect ratio and pixels of width, above which a picture has a row of its own
LARGE = 950  # pixels of width, above which a phone scrolls a picture instead of shrinking it
ID_CHARACTERS = 8  # of a run id in a summary
COMMIT_CHARACTERS = 12
LONG = 900  # characters, above which a text is set in two columns
REPRODUCE = "reproduce"


def report_page(report: Report) -> str:
    """Build the page. It loads nothing but the pictures next to it.

    Text from runs is escaped. The same report gives the same page.
    """
    script = read_asset(PACKAGE, "page.js")
    sections = [_section(section, report) for section in report.sections]
    return fill_template(
        read_asset(PACKAGE, "page.html"),
        title=html.escape(report.title),
        # Enforced by the browser: no request leaves the page, and no other script runs.
        policy="default-src 'none'; img-src 'self' file: data:; style-src 'unsafe-inline'; "
        f"script-src '{script_digest(script)}'",
        style=read_asset(PACKAGE, "page.css"),
        lead=_text(report.lead),
        facts="\n".join(_fact(name, text) for name, text in facts(report).items()),
        contents="\n".join(_entry(section) for section in report.sections)
        + f'\n<li><a href="#{REPRODUCE}">Reproduce</a></li>',
        sections="\n".join([*sections, _reproduction(report)]),
        script=script,
    )


def facts(report: Report) -> dict[str, str]:
    """Return the facts about the whole report by name."""
    known = {
        "Written": f"{report.written[:16].replace('T', ' ')} UTC",
        "Code of the report": report.commit,
        "Code of the runs": ", ".join(
            dict.fromkeys(source.commit for source in report.sources.values() if source.commit)
        ),
        "Experiment": report.experiment,
        "Machine": "; ".join(report.machines),
        "Seeds": ", ".join(report.seeds),
        "Left out": report.outdated,
    }
    return {name: text for name, text in known.items() if text}


def _fact(name: str, text: str) -> str:
    short = re.sub(r"\b([0-9a-f]{8})[0-9a-f]{32}\b", r"\1", text)  # commits are abbreviated
    return f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(short)}</dd></div>"


def _entry(section: ReportSection) -> str:
    missing = "" if section.blocks else ' class="missing"'
    return f'<li><a href="#{html.escape(section.name)}"{missing}>{html.escape(section.title)}</a></li>'


def _section(section: ReportSection, report: Report) -> str:
    name = html.escape(section.name)
    content = [_block(block, report) for block in section.blocks] or [
        f'<p class="none">No runs for this yet. <code>{html.escape(section.command)}</code> makes them.</p>'
    ]
    intro = f'<p class="intro">{_text(section.lead)}</p>' if section.blocks else ""
    return (
        f'<section id="{name}" aria-labelledby="{name}-title">\n<h2 id="{name}-title">{html.escape(section.title)}</h2>'
        f"\n{intro}\n" + "\n".join(content) + "\n</section>"
    )


def _block(block: Block, report: Report) -> str:
    parts = [
        *(table_html(table) for table in block.tables),
        _links(block.links),
        _pictures(block.pictures, report),
        *(_passage(passage, report) for passage in block.passages),
    ]
    content = "\n".join(part for part in parts if part)
    if block.folded:
        return f'<details class="more"><summary>{html.escape(block.heading)}</summary>\n{content}\n</details>'
    return (f"<h3>{html.escape(block.heading)}</h3>\n" if block.heading else "") + content


def _links(links: Iterable[Link]) -> str:
    items = "".join(f'<li><a href="{html.escape(link.file)}">{html.escape(link.text)}</a></li>' for link in links)
    return f'<ul class="links">{items}</ul>' if items else ""


def _pictures(pictures: Sequence[Picture], report: Report) -> str:
    if not pictures:
        return ""
    single = " single" if len(pictures) == 1 else ""
    return f'<div class="figures{single}">\n' + "\n".join(_figure(one, report) for one in pictures) + "\n</div>"


def _figure(picture: Picture, report: Report) -> str:
    wide = picture.width > min(WIDE * picture.height, FULL)
    kinds = " ".join(name for name, holds in {"wide": wide, "large": picture.width > LARGE}.items() if holds)
    file, alt = html.escape(picture.file), html.escape(picture.alt)
    size = f'width="{picture.width}" height="{picture.height}"'
    return (
        f'<figure class="{kinds}"><a href="{file}"><img src="{file}" alt="{alt}" {size} decoding="async"></a>'
        f"<figcaption>{_text(picture.caption)}{_sources(picture.run_ids, report)}</figcaption></figure>"
    )


def _passage(passage: Passage, report: Report) -> str:
    heading = f"<h4>{html.escape(passage.heading)}</h4>\n" if passage.heading else ""
    kind = "prose" if len(passage.markdown) > LONG else "prose short"
    return f'<div class="{kind}">{heading}{as_html(passage.markdown)}{_sources((passage.run_id,), report)}</div>'


def _sources(run_ids: Sequence[str], report: Report) -> str:
    """Return a folded list of runs with the commands that repeat them."""
    runs = [report.sources[run_id] for run_id in run_ids]
    named = f"run {runs[0].run_id[:ID_CHARACTERS]}" if len(runs) == 1 else f"{len(runs)} runs"
    items = "".join(f"<li>{_recipe(run)}</li>" for run in runs)
    return f'<details class="source"><summary>Reproduce: {html.escape(named)}</summary><ul>{items}</ul></details>'


def _recipe(run: RunSource) -> str:
    commit = f", commit <code>{html.escape(run.commit[:COMMIT_CHARACTERS])}</code>" if run.commit else ""
    command = f": <code>{html.escape(run.command)}</code>" if run.command else ""
    return f"<code>{html.escape(run.run_id)}</code> ({html.escape(run.name)}){command}{commit}"


def _text(text: str) -> str:
    """Escape a text; lines do not break between a number and its percent sign."""
    return html.escape(text).replace(" %", "&nbsp;%")


def _reproduction(report: Report) -> str:
    """Return the section with all runs and the pictures made from each."""
    shown: dict[str, list[str]] = {run_id: [] for run_id in report.sources}
    for picture in report.pictures:
        for run_id in picture.run_ids:
            shown[run_id].append(picture.file.rpartition("/")[2])
    rows = "\n".join(_source_row(run, shown[run.run_id]) for run in report.sources.values())
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("Run", "Command, commit, machine", "Pictures"))
    return (
        f'<section id="{REPRODUCE}" aria-labelledby="{REPRODUCE}-title">\n<h2 id="{REPRODUCE}-title">Reproduce</h2>\n'
        '<p class="intro">Check out the commit and run the command; the same seed gives the same numbers on the same '
        "kind of processor. Each run is in MLflow with its parameters, files and model.</p>\n"
        '<div class="scroll reproduce" tabindex="0" role="region" aria-label="Runs">\n'
        f"<table><thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>\n</section>"
    )


def _source_row(run: RunSource, pictures: Iterable[str]) -> str:
    details = [run.commit and f"commit {run.commit[:COMMIT_CHARACTERS]}", run.machine, run.seed and f"seed {run.seed}"]
    where = html.escape(", ".join(detail for detail in details if detail))
    names = "<br>".join(html.escape(name) for name in pictures)
    when = html.escape(run.date[:16].replace("T", " "))
    return (
        f"<tr><td>{html.escape(run.kind)}: {html.escape(run.name)}<small><code>{html.escape(run.run_id)}</code></small>"
        f"<small>{when} UTC</small></td><td><code>{html.escape(run.command)}</code><small>{where}</small></td>"
        f'<td class="where">{names}</td></tr>'
    )
