"""The report's sections on accuracy, cost, training, mistakes and calibration of the networks."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

from experiments.reporting.figures.learning_curves import learning_curves
from experiments.reporting.figures.trade_off import NetworkCost, trade_off
from experiments.reporting.page.content import Block, LearningCurve, Number, Picture, ReportSection, Table
from experiments.results import ACCURACY, MISCLASSIFIED_BY_ALL, VAL_ACCURACY
from experiments.tracking import Store
from experiments.tracking.past_runs import metric_history
from experiments.workflows.report.assets import ReportAssets
from experiments.workflows.report.numbers import INTERVAL, ensembles_table, group_versions, members_table
from experiments.workflows.report.run_index import NetworkRuns, RunIndex


def networks_section(indices: Sequence[RunIndex], tables: dict[str, Table], assets: ReportAssets) -> ReportSection:
    """Build the section with the tables of networks, ensembles and members, and the comparison of accuracies."""
    blocks = []
    for index in indices:
        shown = [tables[index.dataset]] if index.dataset in tables else []
        shown += [table for table in (ensembles_table(index), members_table(index)) if table.rows]
        caption = f"Test accuracy on {index.dataset} of {_compared(index)}, with 95 % intervals"
        name = f"{index.dataset}-comparison"
        pictures = assets.copy_picture(index.comparison, "comparison", name, caption) if index.comparison else ()
        blocks.append(Block(tables=tuple(shown), pictures=pictures))
    lead = "Accuracy of each network on the test split."
    return section("networks", "Networks", lead, "digits train all", blocks)


def costs_section(indices: Sequence[RunIndex], tables: dict[str, Table], assets: ReportAssets) -> ReportSection:
    """Build the section with accuracy against size and against training time."""
    costs = {"parameters": "parameters", "seconds": "training time in seconds"}
    blocks = [
        Block(
            index.dataset,
            pictures=tuple(
                picture
                for key, label in costs.items()
                if index.dataset in tables
                for picture in _cost(index.dataset, tables[index.dataset], key, label, assets)
            ),
        )
        for index in indices
    ]
    lead = "Better is up and to the left: higher accuracy for fewer parameters or less time."
    return section("costs", "Accuracy, size, time", lead, "digits evaluate --model lenet --model cnn", blocks)


def training_section(
    indices: Sequence[RunIndex], curves: Sequence[LearningCurve], assets: ReportAssets
) -> ReportSection:
    """Build the section with the learning curves of all networks, together and one by one."""
    blocks = []
    for index in indices:
        labels = {network.training.id: network.label for network in index.networks}
        drawn = [curve for curve in curves if curve.run_id in labels]
        pictures: tuple[Picture, ...] = ()
        if drawn:
            values = {labels[curve.run_id]: list(curve.values.values()) for curve in drawn}
            figure = learning_curves(values, f"{index.dataset}: validation accuracy by epoch")
            caption = f"Accuracy on the validation digits of {index.dataset} after each epoch"
            runs = tuple(curve.run_id for curve in drawn)
            pictures = assets.save_figure(figure, f"{index.dataset}-learning", caption, runs, main=True)
        own = _of_each(index, "training", "training_curves", "{}: loss, accuracy and learning rate", assets)
        blocks += [
            Block(index.dataset, pictures=pictures),
            Block(f"{index.dataset}: curves of each network", pictures=own, folded=True),
        ]
    lead = "Validation digits are held out of the training split; the weights of the best epoch are kept."
    return section("training", "Training", lead, "digits train lenet", blocks)


def mistakes_section(indices: Sequence[RunIndex], assets: ReportAssets) -> ReportSection:
    """Build the section with confusion matrices, and the digits that all networks misclassify."""
    blocks = []
    for index in indices:
        caption = "{}: rows are true digits, columns predicted digits, in percent"
        confusions = _of_each(index, "evaluation", "confusion_normalized", caption, assets)
        galleries = _of_each(index, "evaluation", "misclassified", "{}: its mistakes, most confident first", assets)
        blocks += [
            Block(index.dataset, pictures=confusions),
            Block(f"{index.dataset}: digits that all networks misclassify", pictures=_missed(index, assets)),
            Block(f"{index.dataset}: mistakes of each network", pictures=galleries, folded=True),
        ]
    lead = "Colors show mistakes; the correct predictions on the diagonal are gray."
    return section("mistakes", "Mistakes", lead, "digits evaluate --model lenet --model cnn", blocks)


def calibration_section(indices: Sequence[RunIndex], assets: ReportAssets) -> ReportSection:
    """Build the section with reliability diagrams."""
    caption = "{}: accuracy by confidence"
    blocks = [
        Block(index.dataset, pictures=_of_each(index, "evaluation", "reliability", caption, assets))
        for index in indices
    ]
    lead = "Of the predictions with 90 % confidence, 90 % should be correct: bars that end on the diagonal."
    return section("calibration", "Calibration", lead, "digits evaluate --model lenet", blocks)


def section(name: str, title: str, lead: str, command: str, blocks: Iterable[Block]) -> ReportSection:
    """Build a section without empty blocks."""
    return ReportSection(name, title, lead, command, tuple(block for block in blocks if not block.empty))


def read_curves(store: Store, indices: Iterable[RunIndex]) -> Iterator[LearningCurve]:
    """Read the validation accuracy of each network by epoch."""
    for index in indices:
        for network in index.networks:
            values = metric_history(store, network.training.id, VAL_ACCURACY)
            if values:
                yield LearningCurve(network.version.registered_model, network.training.id, VAL_ACCURACY, values)


def source_accuracy(network: NetworkRuns) -> float:
    """Return the accuracy of a network on its own test split, 0 if it was not evaluated."""
    return network.evaluation.metrics.get(ACCURACY, 0.0) if network.evaluation else 0.0


def _cost(dataset: str, table: Table, key: str, label: str, assets: ReportAssets) -> tuple[Picture, ...]:
    """Draw accuracy against a cost for the networks that have both."""
    rows = [row for row in table.rows if {key, *INTERVAL} <= row.numbers.keys() and row.numbers[key].value > 0]
    if not rows:
        return ()
    points = {row.name: NetworkCost(*(row.numbers[name].value for name in (key, *INTERVAL))) for row in rows}
    runs = tuple(dict.fromkeys(row.numbers[name].run_id for row in rows for name in (key, ACCURACY)))
    figure = trade_off(points, label, f"{dataset}: accuracy against {label.partition(' in ')[0]}")
    caption = f"Test accuracy on {dataset} against {label}"
    return assets.save_figure(figure, f"{dataset}-accuracy-{key}", caption, runs, main=True)


def _compared(index: RunIndex) -> str:
    """Name the networks that the comparison compares."""
    versions = index.comparison.params.get("versions", "") if index.comparison else ""
    if set(versions.split(", ")) == {network.text for network in index.networks}:
        return f"the {len(index.networks)} networks of the table"
    return group_versions(versions)


def _missed(index: RunIndex, assets: ReportAssets) -> tuple[Picture, ...]:
    run = index.comparison
    if run is None or MISCLASSIFIED_BY_ALL not in run.metrics:
        return ()
    missed = Number(run.metrics[MISCLASSIFIED_BY_ALL], run.id, MISCLASSIFIED_BY_ALL)
    caption = f"{missed.value:,.0f} {index.dataset} test digits are misclassified by all of {_compared(index)}"
    pictures = assets.copy_picture(run, "missed_by_all", f"{index.dataset}-missed-by-all", caption, main=True)
    return tuple(replace(picture, numbers={"missed by all": missed}) for picture in pictures)


def _of_each(
    index: RunIndex, kind: Literal["training", "evaluation"], file: str, caption: str, assets: ReportAssets
) -> tuple[Picture, ...]:
    """Copy the same picture of each network, the most accurate network first."""
    found: list[Picture] = []
    for network in sorted(index.networks, key=source_accuracy, reverse=True):
        run = network.training if kind == "training" else network.evaluation
        if run:
            name = f"{index.dataset}-{network.architecture}-{file}"
            found += assets.copy_picture(run, file, name, caption.format(network.label))
    return tuple(found)
