"""The chapters of a report on what lies behind the numbers: feature space, confusing digits, new domains, searches."""

import json
import math
from collections.abc import Sequence

from experiments.reporting.figures.layout import Interval
from experiments.reporting.figures.transfer_matrix import transfer_matrix
from experiments.reporting.page.content import Block, Chapter, Passage, Picture
from experiments.tracking import PastRun
from experiments.workflows.report.album import Album
from experiments.workflows.report.chapters import chapter
from experiments.workflows.report.evidence import Evidence, Network
from experiments.workflows.report.tables import features_table, searches_table, ways_table
from experiments.workflows.transfer.pipeline import NONE
from experiments.workflows.tune.record import value_text

NONE_METRIC = f"adapt/{NONE}"
# Captions by the names of pictures; {} is what they are about.
MAPS = {"map": "{}: the map, digits by label", "map_kmeans": "{}: the map, digits by cluster of KMeans"}
MORE_MAPS = {
    "map_ward": "{}: the map, digits by cluster of Ward's linkage",
    "map_predicted": "{}: the map, digits by prediction",
    "map_confusion": "{}: the map, digits by how confusing they are",
    "cluster_count": "{}: how many clusters there are",
    "contingency_kmeans_10_both": "{}: KMeans with 10 clusters against the classes",
    "contingency_ward_10_both": "{}: Ward with 10 clusters against the classes",
    "dendrogram": "{}: the top of Ward's hierarchy",
    "centroids": "{}: distances between the means of the classes",
}
CONFUSING = {"confusing_test": "{}: the test digits that confuse most, with their neighbors of both classes"}
MORE_CONFUSING = {
    "confusing_train": "{}: the training digits that confuse most",
    "measures_test": "{}: how the measures of confusion agree",
    "duplicates": "{}: test digits that training nearly has too",
    "outliers": "{}: digits far from all others",
}
DOMAIN = {
    "alignment": "{}: what aligning the pictures brings, rung by rung",
    "adaptation": "{}: what adaptation without labels brings",
    "corruptions": "{}: accuracy under each corruption",
    "class_changes": "{}: which digits lose",
    "shift": "{}: how far the domains lie apart in feature space",
}
FEW = {"few_shot": "{}: learning from few labelled digits, beside learning from them alone"}
OWN = {
    "adaptation_curves": "{}: adaptation without labels, step by step",
    "map": "{}: its digits on the map of those the network was trained on",
    "confusion_normalised": "{}: what is taken for what, in per cent",
}
SEARCH = {
    "history": "{}: the trials one after the other, and the best so far",
    "importances": "{}: what share of the spread each hyperparameter explains",
    "slice": "{}: each hyperparameter alone against the result",
    "parallel_coordinates": "{}: all trials, a line each",
    "contour": "{}: the two hyperparameters that matter most",
}


def features_chapter(evidence: Sequence[Evidence], album: Album) -> Chapter:
    """Return maps and clusters of feature spaces, with a link to the explorer of each."""
    blocks = []
    for each in evidence:
        table = features_table(each)
        blocks.append(Block(tables=(table,) if table.rows else ()))
        for network, run in _analyzed(each):
            about, name = f"{network.name} on {each.dataset}", f"{each.dataset}-{network.name}"
            page = album.page(run, "explorer.html", name, f"Explore the map of {about}")
            maps = album.several(run, name, _about(about, MAPS), main=True)
            more = album.several(run, name, _about(about, MORE_MAPS))
            blocks += [
                Block(about, links=page, pictures=maps, passages=album.words(run, "")),
                Block(f"More views of {about}", pictures=more, folded=True),
            ]
        if each.contrast:
            blocks.append(Block(passages=album.words(each.contrast, f"Networks beside each other on {each.dataset}")))
    lead = "What the layer before the classifier makes of the digits: a t-SNE map, clusters, and how these agree."
    return chapter("features", "Feature space", lead, "digits analyze --model lenet", blocks)


def confusing_chapter(evidence: Sequence[Evidence], album: Album) -> Chapter:
    """Return the digits that confuse the networks that were analyzed."""
    blocks = []
    for each in evidence:
        for network, run in _analyzed(each):
            about, name = f"{network.name} on {each.dataset}", f"{each.dataset}-{network.name}"
            more = album.several(run, name, _about(about, MORE_CONFUSING))
            blocks += [
                Block(about, pictures=album.several(run, name, _about(about, CONFUSING), main=True)),
                Block(f"More of {about}", pictures=more, folded=True),
            ]
    lead = "Digits that lie nearer to another class than to their own."
    return chapter("confusing", "Confusing digits", lead, "digits analyze --model lenet", blocks)


def transfer_chapter(evidence: Sequence[Evidence], album: Album) -> Chapter:
    """Return what becomes of the networks in other domains."""
    blocks = [Block(pictures=_everywhere(evidence, album))]
    for each in evidence:
        tables = [ways_table(each, target) for target in each.targets]
        blocks.append(Block(tables=tuple(table for table in tables if table.rows)))
        for targets, runs in each.transfers.items():
            for run in runs:
                which = f" ({_models(each, run)})" if len(runs) > 1 else ""
                blocks.append(_compared(each.dataset, targets.split(", "), run, which, album))
        compared = {target for targets in each.transfers for target in targets.split(", ")}
        pairs = [
            (network, target) for target in each.targets for network in each.networks if target in network.transfers
        ]
        few = [picture for network, target in pairs for picture in _first_kept(network, target, FEW, album)]
        blocks.append(Block(f"Few labelled digits, from {each.dataset}", pictures=tuple(few)))
        blocks += [_one_network(network, target, target in compared, album) for network, target in pairs]
    lead = "The networks on digits from elsewhere: what they lose, and what alignment and adaptation bring back."
    return chapter("transfer", "New domains", lead, "digits transfer --model cnn --target usps --adapt align", blocks)


def searches_chapter(evidence: Sequence[Evidence], album: Album) -> Chapter:
    """Return what searches for hyperparameters found, and how."""
    blocks = []
    for each in evidence:
        blocks.append(Block(tables=(searches_table(each),) if each.searches else ()))
        for run in each.searches:
            study = run.tags.get("digits.study", run.name)
            pictures = album.several(run, f"search-{study}", _about(study, SEARCH), main=True)
            blocks += [Block(study, passages=_found(run)), Block(pictures=pictures)]
    lead = "Hyperparameters found by search, judged on the validation digits."
    return chapter("searches", "Searches", lead, "digits tune mlp", blocks)


def _about(what: str, captions: dict[str, str]) -> dict[str, str]:
    return {file: caption.format(what) for file, caption in captions.items()}


def _analyzed(each: Evidence) -> list[tuple[Network, PastRun]]:
    return [(network, network.analysis) for network in each.networks if network.analysis]


def _everywhere(evidence: Sequence[Evidence], album: Album) -> tuple[Picture, ...]:
    """Return one picture of the accuracies of all networks that were used in new domains, as they came."""
    accuracies: dict[str, dict[str, Interval]] = {}
    runs: list[str] = []
    for each in evidence:
        for network in sorted((one for one in each.networks if one.transfers), key=_at_home, reverse=True):
            tested = {
                target: found[0] for target, found in network.transfers.items() if NONE_METRIC in found[0].metrics
            }
            row = {target: _interval(tested[target], NONE_METRIC) for target in each.targets if target in tested}
            if network.evaluation:
                row = {each.dataset: _interval(network.evaluation, "accuracy"), **row}
                runs.append(network.evaluation.id)
            accuracies[f"{network.name} on {each.dataset}"] = row
            runs += [run.id for run in tested.values()]
    if not any(accuracies.values()):
        return ()
    figure = transfer_matrix(accuracies, "Accuracy in source and target domains")
    caption = "Accuracy of each network, as it came, in the domain that it was trained on and in others"
    return album.drawn(figure, "transfer-matrix", caption, tuple(runs), main=True)


def _at_home(network: Network) -> float:
    return network.evaluation.metrics.get("accuracy", 0.0) if network.evaluation else 0.0


def _interval(run: PastRun, metric: str) -> Interval:
    """Return an accuracy of a run with the ends of its interval; not a number where it has none."""
    low, high = (run.metrics.get(f"accuracy_{end}", math.nan) for end in ("low", "high"))
    return run.metrics[metric], low, high


def _models(each: Evidence, run: PastRun) -> str:
    """Return the networks that a run compares, by name."""
    names = {network.text: network.name for network in each.networks}
    return ", ".join(names.get(text, text) for text in run.params["models"].split(", "))


def _compared(dataset: str, targets: Sequence[str], run: PastRun, which: str, album: Album) -> Block:
    """Return what a comparison of networks in some domains shows; `which` tells it from others."""
    pictures: list[Picture] = []
    for target in targets:
        route = f"From {dataset} to {target}{which}"
        for file, caption in _about(route, DOMAIN).items():
            main = file in {"alignment", "adaptation"}
            pictures += album.copied(run, f"{target}/{file}", f"{dataset}-to-{target}-{file}", caption, main)
    heading = f"From {dataset} to {', '.join(targets)}{which}"
    return Block(heading, pictures=tuple(pictures), passages=album.words(run, ""))


def _one_network(network: Network, target: str, compared: bool, album: Album) -> Block:
    """Return what one network shows in a domain: all, or what a comparison that is shown does not have."""
    pictures = _first_kept(network, target, OWN if compared else {**DOMAIN, **OWN}, album)
    words = () if compared else album.words(network.transfers[target][0], "")
    return Block(f"{network.name} on {target}", pictures=pictures, passages=words, folded=compared)


def _first_kept(network: Network, target: str, captions: dict[str, str], album: Album) -> tuple[Picture, ...]:
    """Return pictures of a network in a domain, each of the latest run that keeps it."""
    about, name = f"{network.name} on {target}", f"{network.version.registered_model}-to-{target}"
    pictures: list[Picture] = []
    for file, caption in _about(about, captions).items():
        run = next((run for run in network.transfers[target] if album.keeps(run, f"figures/{file}.png")), None)
        if run:
            pictures += album.copied(run, file, f"{name}-{file}", caption, main=file in FEW)
    return tuple(pictures)


def _found(run: PastRun) -> tuple[Passage, ...]:
    """Return the best values of a search in words."""
    best = json.loads(run.tags.get("digits.best_params", "{}"))
    values = [f"`{name}` {value_text(value)}" for name, value in best.items()]
    model, dataset, study = (run.tags.get(f"digits.{key}", "") for key in ("model", "dataset", "study"))
    command = f"`digits train {model} --dataset {dataset} --from-study {study}`"
    return (
        (Passage("", f"The best trial has {', '.join(values)}. {command} trains with them.", run.id),) if best else ()
    )
