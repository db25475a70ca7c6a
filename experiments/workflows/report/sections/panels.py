"""The same figure of several networks on the same digits, side by side."""

import dataclasses
from collections.abc import Mapping

from experiments.reporting.drawing import Drawing
from experiments.reporting.figures.confusion_panels import confusion_panels
from experiments.reporting.figures.placed_panels import PlacedDigits, placed_panels
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


def target_maps(
    runs: Mapping[str, PastRun], name: str, route: str, caption: str, assets: ReportAssets
) -> tuple[Picture, ...]:
    """Draw the target's digits on the maps of networks; nothing if no run has a map.

    Parameters
    ----------
    runs, name
        As for `confusions`.
    """
    drawings = assets.drawings(runs, "map")
    if not drawings:
        return ()
    fields = [field.name for field in dataclasses.fields(PlacedDigits)]
    maps = {label: PlacedDigits(**{field: one.data[field] for field in fields}) for label, one in drawings.items()}
    panels = Drawing.of(placed_panels, maps, f"{route}: target digits on the t-SNE map of the source digits")
    return assets.draw(panels, name, caption, [runs[label].id for label in drawings])
