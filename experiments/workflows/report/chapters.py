"""The chapters of a report on what the networks achieve: accuracy, cost, training, mistakes, calibration."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

from experiments import reporting
from experiments.reporting.report_content import Block, Chapter, Curve, Number, Picture, Table
from experiments.tracking import PastRun, Store
from experiments.tracking.past_runs import metric_history
from experiments.workflows.report.album import Album
from experiments.workflows.report.evidence import Evidence, Network
from experiments.workflows.report.tables import ensembles_table, members_table, versions_together

MISSED = "misclassified_by_all"
VALIDATION = "val_accuracy"
MEASURED = ("accuracy", "accuracy_low", "accuracy_high")


def networks_chapter(evidence: Sequence[Evidence], summaries: dict[str, Table], album: Album) -> Chapter:
    """Return the table of all networks, and their accuracies beside each other."""
    blocks = []
    for each in evidence:
        joined = (ensembles_table(each), members_table(each))
        tables = (
            *((summaries[each.dataset],) if each.dataset in summaries else ()),
            *(table for table in joined if table.rows),
        )
        caption = f"Test accuracy on {each.dataset} of {_compared(each)}, with 95 % intervals"
        name = f"{each.dataset}-comparison"
        pictures = album.copied(each.comparison, "comparison", name, caption) if each.comparison else ()
        blocks.append(Block(tables=tables, pictures=pictures))
    lead = "What each network achieves on digits that it has never seen."
    return chapter("networks", "Networks", lead, "digits train all", blocks)


def costs_chapter(evidence: Sequence[Evidence], summaries: dict[str, Table], album: Album) -> Chapter:
    """Return accuracy against size and against time."""
    costs = {"parameters": "parameters", "seconds": "training time in seconds"}
    blocks = [
        Block(
            each.dataset,
            pictures=tuple(
                picture
                for key, label in costs.items()
                if each.dataset in summaries
                for picture in _cost(each.dataset, summaries[each.dataset], key, label, album)
            ),
        )
        for each in evidence
    ]
    lead = "Up and to the left is better: more digits right for fewer parameters, or less time."
    return chapter("costs", "Accuracy, size, time", lead, "digits evaluate --model lenet --model cnn", blocks)


def training_chapter(evidence: Sequence[Evidence], curves: Iterable[Curve], album: Album) -> Chapter:
    """Return how the networks learned, in one picture and in one each."""
    curves, blocks = tuple(curves), []
    for each in evidence:
        learned = {network.training.id: network.name for network in each.networks}
        drawn = [curve for curve in curves if curve.run_id in learned]
        pictures: tuple[Picture, ...] = ()
        if drawn:
            values = {learned[curve.run_id]: curve.values for curve in drawn}
            figure = reporting.overlaid_curves(values, f"{each.dataset}: how the networks learn")
            caption = f"Accuracy on the validation digits of {each.dataset} after each epoch"
            runs = tuple(curve.run_id for curve in drawn)
            pictures = album.drawn(figure, f"{each.dataset}-learning", caption, runs, main=True)
        own = _of_each(each, "training", "training_curves", "{}: loss, accuracy and learning rate", album)
        blocks += [
            Block(each.dataset, pictures=pictures),
            Block(f"{each.dataset}: each network's own curves", pictures=own, folded=True),
        ]
    lead = "Validation digits are held out of the training digits; weights are those of the best epoch."
    return chapter("training", "Training", lead, "digits train lenet", blocks)


def mistakes_chapter(evidence: Sequence[Evidence], album: Album) -> Chapter:
    """Return confusion matrices side by side, and the digits that every network misses."""
    blocks = []
    for each in evidence:
        caption = "{}: rows are true digits, columns what they are taken for, in per cent"
        confusions = _of_each(each, "evaluation", "confusion_normalised", caption, album)
        galleries = _of_each(each, "evaluation", "misclassified", "{}: its mistakes, most confident first", album)
        blocks += [
            Block(each.dataset, pictures=confusions),
            Block(f"{each.dataset}: digits that every network misses", pictures=_missed(each, album)),
            Block(f"{each.dataset}: each network's own mistakes", pictures=galleries, folded=True),
        ]
    lead = "Mistakes have the colour to themselves; the grey diagonal is what is right."
    return chapter("mistakes", "Mistakes", lead, "digits evaluate --model lenet --model cnn", blocks)


def calibration_chapter(evidence: Sequence[Evidence], album: Album) -> Chapter:
    """Return how far each network can be believed."""
    caption = "{}: how often it is right, by how sure it is"
    blocks = [
        Block(each.dataset, pictures=_of_each(each, "evaluation", "reliability", caption, album)) for each in evidence
    ]
    lead = "A network that says 90 % should be right nine times in ten: bars that end on the diagonal."
    return chapter("calibration", "Calibration", lead, "digits evaluate --model lenet", blocks)


def chapter(name: str, title: str, lead: str, command: str, blocks: Iterable[Block]) -> Chapter:
    """Return a chapter of those blocks that hold anything."""
    return Chapter(name, title, lead, command, tuple(block for block in blocks if not block.empty))


def learning_curves(store: Store, evidence: Iterable[Evidence]) -> Iterator[Curve]:
    """Return the validation accuracy of each network by epoch."""
    for each in evidence:
        for network in each.networks:
            values = metric_history(store, network.training.id, VALIDATION)
            if values:
                yield Curve(network.version.registered_model, network.training.id, VALIDATION, values)


def _cost(dataset: str, table: Table, key: str, label: str, album: Album) -> tuple[Picture, ...]:
    """Return the picture of accuracy against a cost, of the networks of which both are known."""
    rows = [row for row in table.rows if {key, *MEASURED} <= row.numbers.keys() and row.numbers[key].value > 0]
    if not rows:
        return ()
    points = {row.name: reporting.Cost(*(row.numbers[name].value for name in (key, *MEASURED))) for row in rows}
    runs = tuple(dict.fromkeys(row.numbers[name].run_id for row in rows for name in (key, "accuracy")))
    figure = reporting.trade_off(points, label, f"{dataset}: accuracy against {label.partition(' in ')[0]}")
    return album.drawn(
        figure, f"{dataset}-accuracy-{key}", f"Test accuracy on {dataset} against {label}", runs, main=True
    )


def _compared(each: Evidence) -> str:
    """Say which networks are compared."""
    versions = each.comparison.params.get("versions", "") if each.comparison else ""
    if set(versions.split(", ")) == {network.text for network in each.networks}:
        return f"the {len(each.networks)} networks of the table"
    return versions_together(versions)


def _missed(each: Evidence, album: Album) -> tuple[Picture, ...]:
    run = each.comparison
    if run is None or MISSED not in run.metrics:
        return ()
    missed = Number(run.metrics[MISSED], run.id, MISSED)
    caption = f"Of the test digits of {each.dataset}, {missed.value:,.0f} are missed by all of {_compared(each)}"
    pictures = album.copied(run, "missed_by_all", f"{each.dataset}-missed-by-all", caption, main=True)
    return tuple(replace(picture, numbers={"missed by all": missed}) for picture in pictures)


def _of_each(
    each: Evidence, kind: Literal["training", "evaluation"], file: str, caption: str, album: Album
) -> tuple[Picture, ...]:
    """Return the same picture of each network, the most accurate network first."""
    found: list[Picture] = []
    for network in sorted(each.networks, key=_errors):
        run = network.training if kind == "training" else network.evaluation
        if run:
            found += album.copied(run, file, f"{each.dataset}-{network.name}-{file}", caption.format(network.name))
    return tuple(found)


def _errors(network: Network) -> float:
    run: PastRun | None = network.evaluation
    return -run.metrics.get("accuracy", 0.0) if run else 0.0
