"""Why digits are confused: maps and clusters of feature spaces, and the most confusing digits."""

from collections.abc import Iterator

from experiments.reporting.page import captions
from experiments.reporting.page.content import Block, ReportSection
from experiments.tracking import PastRun
from experiments.workflows.report.assets import ReportAssets
from experiments.workflows.report.data import ReportData
from experiments.workflows.report.run_index import RunIndex
from experiments.workflows.report.tables import features_table


def features_section(data: ReportData, assets: ReportAssets) -> ReportSection:
    """Build the section with maps and clusters of feature spaces, and links to the explorers."""
    blocks = []
    for index in data.indices:
        table = features_table(index, data.frame)
        blocks.append(Block(tables=(table,) if table.columns else ()))
        for subject, name, run in _analyzed(index):
            page = assets.explorer(run, name, f"Explore the map of {subject}")
            maps = assets.pictures(run, name, captions.fill(captions.MAPS, subject), main=True, required=True)
            more = assets.pictures(run, name, captions.fill(captions.MORE_MAPS, subject), required=True)
            blocks += [
                Block(subject, links=page, pictures=maps, passages=assets.discussion(run, "")),
                Block(f"More views of {subject}", pictures=more, folded=True),
            ]
        if index.analysis_comparison:
            heading = f"Comparison of networks on {index.dataset}"
            blocks.append(Block(passages=assets.discussion(index.analysis_comparison, heading)))
    lead = "Features of the layer before the classifier: a t-SNE map, clusters, and their agreement with the classes."
    return ReportSection.of("features", "Feature space", lead, "digits analyze --model lenet", blocks)


def confusing_section(data: ReportData, assets: ReportAssets) -> ReportSection:
    """Build the section with the most confusing digits."""
    blocks = []
    for index in data.indices:
        for subject, name, run in _analyzed(index):
            first = assets.pictures(run, name, captions.fill(captions.CONFUSING, subject), main=True, required=True)
            more = assets.pictures(run, name, captions.fill(captions.MORE_CONFUSING, subject), required=True)
            blocks += [Block(subject, pictures=first), Block(f"More of {subject}", pictures=more, folded=True)]
    lead = "Digits that lie nearer to another class than to their own."
    return ReportSection.of("confusing", "Confusing digits", lead, "digits analyze --model lenet", blocks)


def _analyzed(index: RunIndex) -> Iterator[tuple[str, str, PastRun]]:
    """Yield the subject of each analysis, the stem of its files, and its run."""
    for network in index.networks:
        if network.analysis:
            yield f"{network.label} on {index.dataset}", f"{index.dataset}-{network.architecture}", network.analysis
