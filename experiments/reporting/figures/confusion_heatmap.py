"""Which digits are taken for which."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figures.style import PALE, RED, drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def confusion_heatmap(confusion: NDArray[Any], normalise: bool, title: str) -> "Figure":
    """Return a heatmap of a confusion matrix in which the mistakes have the color to themselves.

    The diagonal, a hundred times larger than anything else in a good model, is grey with its number.

    Parameters
    ----------
    confusion
        Counts, integers (10, 10): rows are true digits, columns predicted ones.
    normalise
        Show per cent of the images of each true digit (0 for a digit that does not occur), not counts.
    title
        Says data, split and model.
    """
    import seaborn
    from matplotlib.ticker import MaxNLocator

    values = _percentages(confusion) if normalise else confusion
    texts = _texts(values, normalise)
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
            "label": "mistakes, per cent of the true digit's images" if normalise else "mistakes",
            "shrink": 0.8,
            "ticks": MaxNLocator(integer=not normalise, steps=[1, 2, 5, 10]),
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


def _texts(values: NDArray[Any], normalise: bool) -> list[list[str]]:
    """Return the text of each cell: nothing for 0, so that the eye finds the mistakes."""
    return [[(f"{value:.1f}" if normalise else f"{value:d}") if value else "" for value in row] for row in values]
