"""What the networks get wrong, and how well they know it."""

from collections.abc import Mapping

from experiments.reporting.drawing import Drawing
from experiments.reporting.figures.reliability_panels import reliability_panels
from experiments.reporting.page.content import Block, Picture, ReportSection
from experiments.results import MISCLASSIFIED_BY_ALL, select, value
from experiments.tracking import PastRun
from experiments.workflows.report.assets import ReportAssets
from experiments.workflows.report.data import ReportData
from experiments.workflows.report.run_index import RunIndex
from experiments.workflows.report.sections.networks import compared
from experiments.workflows.report.sections.panels import confusions
from experiments.workflows.report.tables import best_first


def mistakes_section(data: ReportData, assets: ReportAssets) -> ReportSection:
    """Build the section with confusion matrices, and the digits that all networks misclassify."""
    blocks = []
    for index in data.indices:
        evaluations = _evaluations(index, data)
        galleries = tuple(
            picture
            for label, run in evaluations.items()
            for picture in assets.picture(
                run,
                "misclassified",
                f"{index.dataset}-{label}-misclassified",
                f"{label}: its mistakes, most confident first",
                required=True,
            )
        )
        blocks += [
            Block(index.dataset, pictures=_confusions(index, evaluations, assets)),
            Block(f"{index.dataset}: digits that all networks misclassify", pictures=_missed(index, data, assets)),
            Block(f"{index.dataset}: mistakes of each network", pictures=galleries, folded=True),
        ]
    lead = "Colors show mistakes; the correct predictions on the diagonal are gray."
    command = "digits evaluate --model lenet --model cnn"
    return ReportSection.of("mistakes", "Mistakes", lead, command, blocks)


def calibration_section(data: ReportData, assets: ReportAssets) -> ReportSection:
    """Build the section with reliability diagrams."""
    blocks = []
    for index in data.indices:
        evaluations = _evaluations(index, data)
        drawings = assets.drawings(evaluations, "reliability")
        if drawings:
            panels = Drawing.of(
                reliability_panels,
                {label: drawing.data["calibration"] for label, drawing in drawings.items()},
                f"{index.dataset}: accuracy by confidence",
            )
            caption = f"Accuracy by confidence on the {index.dataset} test digits"
            run_ids = [evaluations[label].id for label in drawings]
            pictures = assets.draw(panels, f"{index.dataset}-reliability", caption, run_ids)
            blocks.append(Block(index.dataset, pictures=pictures))
    lead = "Of the predictions with 90 % confidence, 90 % should be correct: bars that end on the diagonal."
    return ReportSection.of("calibration", "Calibration", lead, "digits evaluate --model lenet", blocks)


def _evaluations(index: RunIndex, data: ReportData) -> dict[str, PastRun]:
    """Return the evaluation of each network by its label, the most accurate network first."""
    return {network.label: network.evaluation for network in best_first(index, data.frame) if network.evaluation}


def _confusions(index: RunIndex, evaluations: Mapping[str, PastRun], assets: ReportAssets) -> tuple[Picture, ...]:
    caption = f"Confusion on {index.dataset}: rows are true digits, columns predicted digits, in percent"
    return confusions(evaluations, f"{index.dataset}-confusion", index.dataset, caption, assets)


def _missed(index: RunIndex, data: ReportData, assets: ReportAssets) -> tuple[Picture, ...]:
    if index.comparison is None:
        return ()
    missed = value(select(data.frame, run_id=index.comparison.id), MISCLASSIFIED_BY_ALL)
    if missed is None:
        return ()
    digits = "test digit is" if missed == 1 else "test digits are"
    caption = f"{missed:,.0f} {index.dataset} {digits} misclassified by all of {compared(index)}"
    return assets.picture(index.comparison, "missed_by_all", f"{index.dataset}-missed-by-all", caption, True, True)
