"""Confusion matrices of several networks on the same digits, side by side."""

from collections.abc import Mapping

from experiments.reporting.drawing import Drawing
from experiments.reporting.figures.confusion_panels import confusion_panels
from experiments.reporting.page.content import Picture
from experiments.tracking import PastRun
from experiments.workflows.report.assets import ReportAssets


def confusions(
    runs: Mapping[str, PastRun], name: str, dataset: str, caption: str, assets: ReportAssets
) -> tuple[Picture, ...]:
    """Draw the confusion matrices of networks; nothing if no run has one.

    Parameters
    ----------
    runs
        By label of the network, a run that recorded its predictions.
    name
        Name of the file.
    """
    drawings = assets.drawings(runs, "confusion_normalized")
    if not drawings:
        return ()
    matrices = {label: drawing.data["confusion"] for label, drawing in drawings.items()}
    panels = Drawing.of(confusion_panels, matrices, f"{dataset}: confusion, % of each digit")
    return assets.draw(panels, name, caption, [runs[label].id for label in drawings])
