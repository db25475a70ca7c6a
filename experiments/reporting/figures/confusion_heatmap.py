"""Confusion matrix."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figures.style import PALE, RED, drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def confusion_heatmap(confusion: NDArray[Any], normalize: bool, title: str) -> "Figure":
    """Draw a confusion matrix in which only mistakes are colored.

    The diagonal is gray: in a good model it is a hundred times larger than anything else.

    Parameters
    ----------
    confusion
        Counts, integers (10, 10): rows are true digits, columns predicted ones.
    normalize
        Show percent of the images of each true digit (0 for a digit that does not occur), not counts.
    title
        Should name data, split and model.
    """
    import seaborn
    from matplotlib.ticker import MaxNLocator

    values = _percentages(confusion) if normalize else confusion
    texts = _texts(values, normalize)
    diagonal = np.eye(10, dtype=bool)
    common: dict[str, Any] = {
        "annot": texts,
        "annot_kws": {"color": "black"},
        "fmt": "",
        "square": True,
        "linewidths": 1,
        "linecolor": PALE,
    }
    with drawing(title, 7.5, 6.8) as figure:
        axes = figure.add_subplot()
        bar = {
            "label": "mistakes, percent of the true digit's images" if normalize else "mistakes",
            "shrink": 0.8,
            "ticks": MaxNLocator(integer=not normalize, steps=[1, 2, 5, 10]),
        }
        shades = seaborn.blend_palette(["white", RED], as_cmap=True)
        highest = max(values[~diagonal].max(), 1)
        seaborn.heatmap(values, mask=diagonal, cmap=shades, vmin=0, vmax=highest, cbar_kws=bar, ax=axes, **common)
        seaborn.heatmap(values, mask=~diagonal, cmap=[PALE], cbar=False, ax=axes, **common)
        axes.set(xlabel="predicted digit", ylabel="true digit")
        axes.tick_params(length=0, labelrotation=0, labelsize=11)
    return figure


def _percentages(confusion: NDArray[Any]) -> NDArray[np.float64]:
    support = confusion.sum(axis=1, keepdims=True)
    return 100 * confusion / np.maximum(support, 1)


def _texts(values: NDArray[Any], normalize: bool) -> list[list[str]]:
    """Return the text of each cell; empty for 0, so that mistakes stand out."""
    return [[(f"{value:.1f}" if normalize else f"{value:d}") if value else "" for value in row] for row in values]
