"""At what cost: accuracy against size and training time."""

from collections.abc import Iterator

from experiments.reporting.drawing import Drawing
from experiments.reporting.figures.trade_off import NetworkCost, trade_off
from experiments.reporting.page.content import Block, Picture, ReportSection, Row
from experiments.workflows.report.assets import ReportAssets
from experiments.workflows.report.data import ReportData
from experiments.workflows.report.run_index import RunIndex

COSTS = {"parameters": "parameters", "seconds": "training time in seconds"}


def costs_section(data: ReportData, assets: ReportAssets) -> ReportSection:
    """Build the section on accuracy against costs."""
    blocks = [Block(index.dataset, pictures=tuple(_pictures(index, data, assets))) for index in data.indices]
    lead = "Better is up and to the left: higher accuracy for fewer parameters or less time."
    return ReportSection.of("costs", "Accuracy, size, time", lead, "digits evaluate --model lenet --model cnn", blocks)


def _pictures(index: RunIndex, data: ReportData, assets: ReportAssets) -> Iterator[Picture]:
    """Draw accuracy against each cost for the networks that have both."""
    rows = data.networks[index.dataset].rows
    for key, label in COSTS.items():
        needed = (key, "accuracy")
        both = [row for row in rows if {*needed} <= row.cells.keys() and row.cells[key].value > 0]
        if both:
            points = {row.name: _cost(row, key) for row in both}
            title = f"{index.dataset}: accuracy against {label.partition(' in ')[0]}"
            run_ids = [row.cells[column].run_id for row in both for column in needed]
            caption = f"Test accuracy on {index.dataset} against {label}"
            drawing = Drawing.of(trade_off, points, label, title)
            yield from assets.draw(drawing, f"{index.dataset}-accuracy-{key}", caption, run_ids, main=True)


def _cost(row: Row, key: str) -> NetworkCost:
    accuracy = row.cells["accuracy"]
    return NetworkCost(row.cells[key].value, accuracy.value, accuracy.low, accuracy.high)
