"""How the networks were trained: learning curves, together and one by one."""

from experiments.reporting.drawing import Drawing
from experiments.reporting.figures.learning_curves import learning_curves
from experiments.reporting.page.content import Block, Picture, ReportSection
from experiments.workflows.report.assets import ReportAssets
from experiments.workflows.report.data import ReportData
from experiments.workflows.report.run_index import RunIndex
from experiments.workflows.report.tables import best_first


def training_section(data: ReportData, assets: ReportAssets) -> ReportSection:
    """Build the section with the learning curves of all networks."""
    blocks = []
    for index in data.indices:
        own = tuple(
            picture
            for network in best_first(index, data.frame)
            for picture in assets.picture(
                network.training,
                "training_curves",
                f"{index.dataset}-{network.architecture}-training_curves",
                f"{network.label}: loss, accuracy and learning rate",
                required=True,
            )
        )
        blocks += [
            Block(index.dataset, pictures=_together(index, data, assets)),
            Block(f"{index.dataset}: curves of each network", pictures=own, folded=True),
        ]
    lead = "Validation digits are held out of the training split; the weights of the best epoch are kept."
    return ReportSection.of("training", "Training", lead, "digits train lenet", blocks)


def _together(index: RunIndex, data: ReportData, assets: ReportAssets) -> tuple[Picture, ...]:
    labels = {network.training.id: network.label for network in index.networks}
    curves = {labels[curve.run_id]: curve for curve in data.curves if curve.run_id in labels}
    if not curves:
        return ()
    values = {label: [*curve.values.values()] for label, curve in curves.items()}
    drawing = Drawing.of(learning_curves, values, f"{index.dataset}: validation accuracy by epoch")
    caption = f"Accuracy on the validation digits of {index.dataset} after each epoch"
    run_ids = [curve.run_id for curve in curves.values()]
    return assets.draw(drawing, f"{index.dataset}-learning", caption, run_ids, main=True)
