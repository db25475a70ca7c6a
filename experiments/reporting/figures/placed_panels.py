"""The target's digits on the maps of several networks, one panel each."""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figure_parts.layout import lines_of, spacious
from experiments.reporting.figure_parts.placed_points import source_points, target_points
from experiments.reporting.figure_parts.point_views import views_of
from experiments.reporting.figure_parts.style import notice

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PANEL = 3.3  # inches, the side of a panel
COLUMNS = 3
AREA = 0.35  # of a panel, relative to a map of its own
NAME_CHARACTERS, NAME_LINE = 36, 0.17  # a line of a network's name, and its height in inches
NOTE = (
    "Colors are true digits: those of the source are pale, those of the target full, misclassified ones are crosses. Each "
    "network has a map of its own."
)


@dataclass(frozen=True, eq=False)
class PlacedDigits:
    """The digits of a target domain on the map of a network, as `placed_map` takes them."""

    reference: NDArray[np.float32]
    reference_labels: NDArray[np.integer]
    placed: NDArray[np.float32]
    placed_labels: NDArray[np.integer]
    wrong: NDArray[np.bool_]


def placed_panels(maps: Mapping[str, PlacedDigits], title: str) -> "Figure":
    """Draw the target's digits over the source's on the map of each network, seen from one side.

    Parameters
    ----------
    maps
        By network. May be empty.
    title
        Should name source and target.
    """
    names = [
        textwrap.fill(f"{name}: {int(found.wrong.sum()):,} of {len(found.wrong):,} misclassified", NAME_CHARACTERS)
        for name, found in maps.items()
    ]
    columns, rows = min(COLUMNS, max(len(names), 1)), -(-max(len(names), 1) // COLUMNS)
    head = NAME_LINE * max(map(lines_of, names), default=1) + 0.15
    with spacious(title, max(columns * PANEL, 2 * PANEL), rows * (PANEL + head), NOTE if maps else "") as figure:
        if not maps:
            notice(figure, "no network was used in the target domain")
            return figure
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes in panels:
            axes.set_axis_off()
        for axes, name, found in zip(panels, names, maps.values(), strict=False):
            view = views_of(np.concatenate([found.reference, found.placed]))[0]
            reach = float(np.abs(view[:, :2]).max(initial=0)) * 1.03 or 1.0
            axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
            axes.set_title(name, loc="left", fontsize=9)
            source_points(axes, view[: len(found.reference)], found.reference_labels, AREA)
            target_points(axes, view[len(found.reference) :], found.placed_labels, found.wrong, AREA)
    return figure
