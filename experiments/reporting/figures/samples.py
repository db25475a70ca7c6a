"""Sample images and class distribution of a dataset."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from experiments.reporting.figures.image_grid import picture_grid
from experiments.reporting.figures.style import BLUE, GREEN, ORANGE, drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def sample_grid(images: NDArray[Any], labels: NDArray[Any], title: str = "") -> "Figure":
    """Draw the first 25 images, five per row, each with its label above.

    Parameters
    ----------
    images
        uint8 in 0..255 or floats in [0, 1], (n, 28, 28) or (n, 28, 28, 1); n may be 0.
    labels
        Digits, (n,).
    title
        Should name data and split.

    Raises
    ------
    ValueError
        If images have another shape.
    """
    return picture_grid(images, title, 6, lambda axes, index: axes.set_title(str(labels[index]), pad=3))


def class_distribution(counts: Mapping[str, NDArray[Any]], title: str) -> "Figure":
    """Draw the number of images per digit and in total, by split.

    Parameters
    ----------
    counts
        Images of each digit, integers (10,), by the split's name; at most three splits.
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
    with drawing(title, 10, 4.5) as figure:
        axes = figure.add_subplot()
        seaborn.barplot(data=data, x="digit", y="images", hue="split", palette=palette, saturation=1, ax=axes)
        for container in axes.containers:
            axes.bar_label(container, fmt="{:,.0f}", fontsize=8, padding=2)  # type: ignore[arg-type]
        axes.yaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.grid(visible=False, axis="x")
        seaborn.move_legend(axes, "lower left", bbox_to_anchor=(0, 1), ncol=len(counts), title=None)
    return figure
