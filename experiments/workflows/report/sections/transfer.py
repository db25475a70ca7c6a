"""How the networks do elsewhere: accuracy in target domains, alignment and adaptation."""

from collections.abc import Sequence

from experiments.reporting.drawing import Drawing
from experiments.reporting.figures.transfer_matrix import transfer_matrix
from experiments.reporting.page import captions
from experiments.reporting.page.content import Block, Cell, Picture, ReportSection
from experiments.results import SOURCE_ONLY
from experiments.tracking import PastRun
from experiments.workflows.report.assets import ReportAssets
from experiments.workflows.report.data import ReportData
from experiments.workflows.report.run_index import NetworkRuns, RunIndex
from experiments.workflows.report.sections.panels import confusions, target_maps
from experiments.workflows.report.tables import best_first, methods_table


def transfer_section(data: ReportData, assets: ReportAssets) -> ReportSection:
    """Build the section on target domains."""
    blocks = [Block(pictures=_matrix(data, assets))]
    for index in data.indices:
        tables = [methods_table(index, target, data.frame) for target in index.targets]
        blocks.append(Block(tables=tuple(table for table in tables if table.columns)))
        for targets, runs in index.transfer_comparisons.items():
            for run in runs:
                which = f" ({_models(index, run)})" if len(runs) > 1 else ""
                blocks += _comparison(index.dataset, targets.split(", "), run, which, assets)
        compared = {target for targets in index.transfer_comparisons for target in targets.split(", ")}
        pairs = [
            (network, target) for target in index.targets for network in index.networks if target in network.transfers
        ]
        blocks += [_side_by_side(index, best_first(index, data.frame), target, assets) for target in index.targets]
        few = [picture for pair in pairs for picture in _latest_pictures(*pair, captions.FEW_SHOT, assets)]
        blocks.append(Block(f"Few-shot learning, from {index.dataset}", pictures=tuple(few)))
        blocks += [_one_network(network, target, target in compared, assets) for network, target in pairs]
    lead = "Accuracy in target domains: the loss by domain shift, and the gain by alignment and adaptation."
    command = "digits transfer --model cnn --target usps --adapt align"
    return ReportSection.of("transfer", "New domains", lead, command, blocks)


def _matrix(data: ReportData, assets: ReportAssets) -> tuple[Picture, ...]:
    """Draw the source-only accuracies of all networks that were used in target domains."""
    accuracies: dict[str, dict[str, tuple[float, float, float]]] = {}
    run_ids: list[str] = []
    for index in data.indices:
        for row in data.networks[index.dataset].rows:
            columns = {target: f"{target}/{SOURCE_ONLY}" for target in index.targets}
            shown = {target: row.cells[key] for target, key in columns.items() if key in row.cells}
            if shown and "accuracy" in row.cells:
                shown = {index.dataset: row.cells["accuracy"], **shown}
            if shown:
                accuracies[f"{row.name} on {index.dataset}"] = {name: _interval(cell) for name, cell in shown.items()}
                run_ids += [cell.run_id for cell in shown.values()]
    if not accuracies:
        return ()
    drawing = Drawing.of(transfer_matrix, accuracies, "Accuracy in source and target domains")
    caption = "Source-only accuracy of each network in its source domain and in target domains"
    return assets.draw(drawing, "transfer-matrix", caption, run_ids, main=True)


def _interval(cell: Cell) -> tuple[float, float, float]:
    return cell.value, cell.low, cell.high


def _models(index: RunIndex, run: PastRun) -> str:
    """Return the names of the networks that a run compares."""
    labels = {network.text: network.label for network in index.networks}
    return ", ".join(labels.get(text, text) for text in run.params["models"].split(", "))


def _comparison(
    dataset: str, targets: Sequence[str], run: PastRun, which: str, assets: ReportAssets
) -> tuple[Block, Block]:
    """Build the pictures and the discussion of a comparison of networks; `which` distinguishes it from others."""
    pictures: list[Picture] = []
    for target in targets:
        for figure, caption in captions.fill(captions.DOMAIN, f"From {dataset} to {target}{which}").items():
            main = figure in {"alignment", "adaptation"}
            pictures += assets.picture(run, f"{target}/{figure}", f"{dataset}-to-{target}-{figure}", caption, main)
    heading = f"From {dataset} to {', '.join(targets)}{which}"
    discussion = Block(
        f"Discussion: {heading[0].lower()}{heading[1:]}", passages=assets.discussion(run, ""), folded=True
    )
    return Block(heading, pictures=tuple(pictures)), discussion


def _side_by_side(index: RunIndex, networks: Sequence[NetworkRuns], target: str, assets: ReportAssets) -> Block:
    """Build the block of the networks' mistakes in a target domain."""

    def latest(figure: str) -> dict[str, PastRun]:
        """Return, by label of the network, the latest run that recorded a figure."""
        tried = {network.label: network.transfers.get(target, ()) for network in networks}
        found = {label: next((run for run in runs if assets.has(run, figure)), None) for label, runs in tried.items()}
        return {label: run for label, run in found.items() if run}

    name, route = f"{index.dataset}-to-{target}", f"From {index.dataset} to {target}"
    rows = f"{route}: rows are true digits, columns predicted digits, in percent"
    maps = f"{route}: target digits on the t-SNE map of the source digits"
    matrices = confusions(latest("confusion_normalized"), f"{name}-confusion", target, rows, assets)
    return Block(pictures=(*matrices, *target_maps(latest("map"), f"{name}-map", route, maps, assets)))


def _one_network(network: NetworkRuns, target: str, compared: bool, assets: ReportAssets) -> Block:
    """Build the block of one network in a target domain: everything, or what a comparison does not show."""
    shown = captions.METHODS if compared else captions.DOMAIN | captions.METHODS
    pictures = _latest_pictures(network, target, shown, assets)
    passages = () if compared else assets.discussion(network.transfers[target][0], "")
    return Block(f"{network.label} on {target}", pictures=pictures, passages=passages, folded=compared)


def _latest_pictures(
    network: NetworkRuns, target: str, shown: dict[str, str], assets: ReportAssets
) -> tuple[Picture, ...]:
    """Draw figures of a network in a target domain, each from the latest run that recorded it."""
    name = f"{network.version.registered_model}-to-{target}"
    pictures: list[Picture] = []
    for figure, caption in captions.fill(shown, f"{network.label} on {target}").items():
        run = next((run for run in network.transfers[target] if assets.has(run, figure)), None)
        if run:
            pictures += assets.picture(run, figure, f"{name}-{figure}", caption, main=figure in captions.FEW_SHOT)
    return tuple(pictures)
