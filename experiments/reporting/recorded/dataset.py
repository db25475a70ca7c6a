"""Figures of datasets."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import Split
from experiments.reporting.drawing import Drawing
from experiments.reporting.figures.class_distribution import class_distribution
from experiments.reporting.figures.sample_grid import sample_grid


def dataset_drawings(name: str, sample: Split, counts: Mapping[str, NDArray[np.int64]]) -> dict[str, Drawing]:
    """Return the figures of a dataset by name.

    Parameters
    ----------
    sample
        At most 25 training images.
    counts
        Images of each digit, int64 (10,), by split.
    """
    return {
        f"{name}-samples": Drawing.of(sample_grid, sample.images, sample.labels, f"{name}: training digits"),
        f"{name}-classes": Drawing.of(class_distribution, counts, f"{name}: digits of each class"),
    }
