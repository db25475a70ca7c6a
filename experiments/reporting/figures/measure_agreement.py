"""Agreement of confusion measures."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figure_parts.cells import annotated_heatmap, signed_shades
from experiments.reporting.figure_parts.style import footnote, notice, themed_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def measure_agreement(measures: Mapping[str, str], correlations: NDArray[np.float64], title: str) -> "Figure":
    """Draw Spearman's rank correlation of each pair of confusion measures as a heatmap.

    Parameters
    ----------
    measures
        Meaning of each of m measures by name; may be empty.
    correlations
        Of each pair, float64 (m, m).
    title
        Should name data, split and model.
    """
    with themed_figure(title, 8, 6.2) as figure:
        if not measures:
            notice(figure, "no digits were ranked")
            return figure
        axes = figure.add_subplot()
        own = np.eye(len(measures), dtype=bool)
        texts = [
            ["" if i == j else f"{value:.3f}" for j, value in enumerate(row)] for i, row in enumerate(correlations)
        ]
        annotated_heatmap(axes, correlations, texts, signed_shades(), (-1, 1), "Spearman's rank correlation", plain=own)
        names = [name.replace("_", " ") for name in measures]
        axes.set_xticks(np.arange(len(names)) + 0.5, [name.replace(" ", "\n") for name in names], fontsize=10)
        axes.set_yticks(np.arange(len(names)) + 0.5, names, fontsize=10)
        meanings = [f"{name}: {meaning}." for name, meaning in zip(names, measures.values(), strict=True)]
        footnote(figure, "\n".join(meanings))
    return figure
