"""The report's sections on feature spaces, confusing digits, target domains and hyperparameter searches."""

import json
import math
from collections.abc import Sequence

from experiments.reporting.figure_parts.layout import Interval
from experiments.reporting.figures.transfer_matrix import transfer_matrix
from experiments.reporting.page import captions
from experiments.reporting.page.content import Block, Passage, Picture, ReportSection
from experiments.results import ACCURACY, ACCURACY_HIGH, ACCURACY_LOW
from experiments.tracking import PastRun
from experiments.tracking.tags import BEST_PARAMS, DATASET, MODEL, STUDY
from experiments.workflows.report.assets import ReportAssets
from experiments.workflows.report.network_sections import section, source_accuracy
from experiments.workflows.report.numbers import features_table, methods_table, searches_table
from experiments.workflows.report.run_index import NetworkRuns, RunIndex
from experiments.workflows.tune.record import value_text


def features_section(indices: Sequence[RunIndex], assets: ReportAssets) -> ReportSection:
    """Build the section with maps and clusters of feature spaces, and links to the explorers."""
    blocks = []
    for index in indices:
        table = features_table(index)
        blocks.append(Block(tables=(table,) if table.rows else ()))
        for network, run in _analyzed(index):
            subject, name = f"{network.label} on {index.dataset}", f"{index.dataset}-{network.architecture}"
            page = assets.copy_page(run, "explorer.html", name, f"Explore the map of {subject}")
            maps = assets.copy_pictures(run, name, captions.fill(captions.MAPS, subject), main=True)
            more = assets.copy_pictures(run, name, captions.fill(captions.MORE_MAPS, subject))
            blocks += [
                Block(subject, links=page, pictures=maps, passages=assets.discussion(run, "")),
                Block(f"More views of {subject}", pictures=more, folded=True),
            ]
        if index.analysis_comparison:
            heading = f"Comparison of networks on {index.dataset}"
            blocks.append(Block(passages=assets.discussion(index.analysis_comparison, heading)))
    lead = "Features of the layer before the classifier: a t-SNE map, clusters, and their agreement with the classes."
    return section("features", "Feature space", lead, "digits analyze --model lenet", blocks)


def confusing_section(indices: Sequence[RunIndex], assets: ReportAssets) -> ReportSection:
    """Build the section with the most confusing digits."""
    blocks = []
    for index in indices:
        for network, run in _analyzed(index):
            subject, name = f"{network.label} on {index.dataset}", f"{index.dataset}-{network.architecture}"
            first = assets.copy_pictures(run, name, captions.fill(captions.CONFUSING, subject), main=True)
            more = assets.copy_pictures(run, name, captions.fill(captions.MORE_CONFUSING, subject))
            blocks += [Block(subject, pictures=first), Block(f"More of {subject}", pictures=more, folded=True)]
    lead = "Digits that lie nearer to another class than to their own."
    return section("confusing", "Confusing digits", lead, "digits analyze --model lenet", blocks)


def transfer_section(indices: Sequence[RunIndex], assets: ReportAssets) -> ReportSection:
    """Build the section on target domains."""
    blocks = [Block(pictures=_matrix(indices, assets))]
    for index in indices:
        tables = [methods_table(index, target) for target in index.targets]
        blocks.append(Block(tables=tuple(table for table in tables if table.rows)))
        for targets, runs in index.transfer_comparisons.items():
            for run in runs:
                which = f" ({_models(index, run)})" if len(runs) > 1 else ""
                blocks.append(_comparison(index.dataset, targets.split(", "), run, which, assets))
        compared = {target for targets in index.transfer_comparisons for target in targets.split(", ")}
        pairs = [
            (network, target) for target in index.targets for network in index.networks if target in network.transfers
        ]
        few = [picture for pair in pairs for picture in _latest_pictures(*pair, captions.FEW_SHOT, assets)]
        blocks.append(Block(f"Few-shot learning, from {index.dataset}", pictures=tuple(few)))
        blocks += [_one_network(network, target, target in compared, assets) for network, target in pairs]
    lead = "Accuracy in target domains: the loss by domain shift, and the gain by alignment and adaptation."
    return section("transfer", "New domains", lead, "digits transfer --model cnn --target usps --adapt align", blocks)


def searches_section(indices: Sequence[RunIndex], assets: ReportAssets) -> ReportSection:
    """Build the section on hyperparameter searches."""
    blocks = []
    for index in indices:
        blocks.append(Block(tables=(searches_table(index),) if index.searches else ()))
        for run in index.searches:
            study = run.tags.get(STUDY, run.name)
            filled = captions.fill(captions.SEARCH, study)
            pictures = assets.copy_pictures(run, f"search-{study}", filled, main=True)
            blocks += [Block(study, passages=_best_trial(run)), Block(pictures=pictures)]
    lead = "Hyperparameter searches, scored on the validation digits."
    return section("searches", "Searches", lead, "digits tune mlp", blocks)


def _analyzed(index: RunIndex) -> list[tuple[NetworkRuns, PastRun]]:
    return [(network, network.analysis) for network in index.networks if network.analysis]


def _matrix(indices: Sequence[RunIndex], assets: ReportAssets) -> tuple[Picture, ...]:
    """Draw the source-only accuracies of all networks that were used in target domains."""
    accuracies: dict[str, dict[str, Interval]] = {}
    runs: list[str] = []
    for index in indices:
        networks = [network for network in index.networks if network.transfers]
        for network in sorted(networks, key=source_accuracy, reverse=True):
            tested = {target: found[0] for target, found in network.transfers.items() if ACCURACY in found[0].metrics}
            row = {target: _interval(tested[target]) for target in index.targets if target in tested}
            if network.evaluation:
                row = {index.dataset: _interval(network.evaluation), **row}
                runs.append(network.evaluation.id)
            accuracies[f"{network.label} on {index.dataset}"] = row
            runs += [run.id for run in tested.values()]
    if not any(accuracies.values()):
        return ()
    figure = transfer_matrix(accuracies, "Accuracy in source and target domains")
    caption = "Source-only accuracy of each network in its source domain and in target domains"
    return assets.save_figure(figure, "transfer-matrix", caption, tuple(runs), main=True)


def _interval(run: PastRun) -> Interval:
    """Return the source-only accuracy of a run with its 95 % interval; NaN if it has none."""
    low, high = (run.metrics.get(name, math.nan) for name in (ACCURACY_LOW, ACCURACY_HIGH))
    return run.metrics[ACCURACY], low, high


def _models(index: RunIndex, run: PastRun) -> str:
    """Return the names of the networks that a run compares."""
    labels = {network.text: network.label for network in index.networks}
    return ", ".join(labels.get(text, text) for text in run.params["models"].split(", "))


def _comparison(dataset: str, targets: Sequence[str], run: PastRun, which: str, assets: ReportAssets) -> Block:
    """Build the block of a comparison of networks; `which` distinguishes it from others."""
    pictures: list[Picture] = []
    for target in targets:
        for file, caption in captions.fill(captions.DOMAIN, f"From {dataset} to {target}{which}").items():
            main = file in {"alignment", "adaptation"}
            pictures += assets.copy_picture(run, f"{target}/{file}", f"{dataset}-to-{target}-{file}", caption, main)
    heading = f"From {dataset} to {', '.join(targets)}{which}"
    return Block(heading, pictures=tuple(pictures), passages=assets.discussion(run, ""))


def _one_network(network: NetworkRuns, target: str, compared: bool, assets: ReportAssets) -> Block:
    """Build the block of one network in a target domain: everything, or what a comparison does not show."""
    shown = captions.METHODS if compared else captions.DOMAIN | captions.METHODS
    pictures = _latest_pictures(network, target, shown, assets)
    passages = () if compared else assets.discussion(network.transfers[target][0], "")
    return Block(f"{network.label} on {target}", pictures=pictures, passages=passages, folded=compared)


def _latest_pictures(
    network: NetworkRuns, target: str, shown: dict[str, str], assets: ReportAssets
) -> tuple[Picture, ...]:
    """Copy pictures of a network in a target domain, each from the latest run that recorded it."""
    name = f"{network.version.registered_model}-to-{target}"
    pictures: list[Picture] = []
    for file, caption in captions.fill(shown, f"{network.label} on {target}").items():
        run = next((run for run in network.transfers[target] if assets.has(run, f"figures/{file}.png")), None)
        if run:
            pictures += assets.copy_picture(run, file, f"{name}-{file}", caption, main=file in captions.FEW_SHOT)
    return tuple(pictures)


def _best_trial(run: PastRun) -> tuple[Passage, ...]:
    """Describe the best hyperparameters of a search."""
    best = json.loads(run.tags.get(BEST_PARAMS, "{}"))
    values = [f"`{name}` {value_text(value)}" for name, value in best.items()]
    model, dataset, study = (run.tags.get(tag, "") for tag in (MODEL, DATASET, STUDY))
    command = f"`digits train {model} --dataset {dataset} --from-study {study}`"
    text = f"The best trial has {', '.join(values)}. {command} trains a network with them."
    return (Passage("", text, run.id),) if best else ()
