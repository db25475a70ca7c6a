"""Which network is best: the tables of networks, ensembles and their members, and the comparison of accuracies."""

from experiments.reporting.page.content import Block, ReportSection
from experiments.workflows.report.assets import ReportAssets
from experiments.workflows.report.data import ReportData
from experiments.workflows.report.run_index import RunIndex
from experiments.workflows.report.tables import ensembles_table, group_versions, members_table


def networks_section(data: ReportData, assets: ReportAssets) -> ReportSection:
    """Build the section on the accuracy of the networks."""
    blocks = []
    for index in data.indices:
        others = (make(index, data.frame) for make in (ensembles_table, members_table))
        tables = (data.networks[index.dataset], *others)
        caption = f"Test accuracy on {index.dataset} of {compared(index)}, with 95 % intervals"
        name = f"{index.dataset}-comparison"
        pictures = (
            assets.picture(index.comparison, "comparison", name, caption, required=True) if index.comparison else ()
        )
        blocks.append(Block(tables=tuple(table for table in tables if table.columns), pictures=pictures))
    lead = "Accuracy of each network on the test split."
    return ReportSection.of("networks", "Networks", lead, "digits train all", blocks)


def compared(index: RunIndex) -> str:
    """Name the networks that the comparison compares."""
    versions = index.comparison.params.get("versions", "") if index.comparison else ""
    if set(versions.split(", ")) == {network.text for network in index.networks}:
        return f"the {len(index.networks)} networks in the table"
    return group_versions(versions)
