"""Class distribution of a dataset."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.reporting.figure_parts.style import BLUE, GREEN, ORANGE, themed_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def class_distribution(counts: Mapping[str, NDArray[np.int64]], title: str) -> "Figure":
    """Draw the number of images of each digit as a bar per split.

    Parameters
    ----------
    counts
        Images of each digit, int64 (10,), by the split's name; at most three splits.
    title
        Should name the data.
    """
    import seaborn
    from matplotlib.ticker import MaxNLocator

    totals = {split: f"{split} ({int(sizes.sum()):,})" for split, sizes in counts.items()}
    palette = (BLUE, ORANGE, GREEN)[: len(counts)]
    bars = [(digit, int(counts[split][digit]), total) for split, total in totals.items() for digit in range(10)]
    digits, sizes, of_split = zip(*bars, strict=True)
    data = {"digit": digits, "images": sizes, "split": of_split}
    with themed_figure(title, 10, 4.5) as figure:
        axes = figure.add_subplot()
        seaborn.barplot(data=data, x="digit", y="images", hue="split", palette=palette, saturation=1, ax=axes)
        for container in axes.containers:
            axes.bar_label(container, fmt="{:,.0f}", fontsize=8, padding=2)  # type: ignore[arg-type]
        axes.yaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.grid(visible=False, axis="x")
        seaborn.move_legend(axes, "lower left", bbox_to_anchor=(0, 1), ncol=len(counts), title=None)
    return figure
