"""Reliability diagram."""

from typing import TYPE_CHECKING

import numpy as np

from experiments.evaluation import Calibration
from experiments.reporting.figure_parts.style import GRAY, INK, PALE_BLUE, RED, themed_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def reliability_diagram(calibration: Calibration, title: str) -> "Figure":
    """Draw accuracy against confidence as a bar per bin, and the number of predictions in each.

    The hatched gap lies between a bin's accuracy and its mean confidence: below the diagonal the model
    is too sure of itself. After Guo et al. 2017 (arXiv:1706.04599), figure 1.

    Parameters
    ----------
    calibration
        Result of `experiments.evaluation.calibration`.
    title
        Should name data, split and model.
    """
    with themed_figure(title, 6, 7) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        _draw_gaps(upper, calibration)
        _draw_counts(lower, calibration)
    return figure


def _draw_gaps(axes: "Axes", calibration: Calibration) -> None:
    filled = calibration.counts > 0
    left, width = calibration.edges[:-1][filled], np.diff(calibration.edges)[filled]
    accuracy, confidence = calibration.accuracy[filled], calibration.confidence[filled]
    axes.bar(left, accuracy, width, align="edge", color=PALE_BLUE, edgecolor="white", label="accuracy")
    axes.bar(
        left, confidence - accuracy, width, bottom=accuracy, align="edge",
        facecolor="none", edgecolor=RED, hatch="////", label="gap to mean confidence",
    )  # fmt: skip
    axes.plot([0, 1], [0, 1], color=INK, linestyle="dashed", label="perfect calibration")
    axes.set(xlim=(0, 1), ylim=(0, 1), ylabel="accuracy")
    errors = f"{100 * calibration.ece:.2f} %, maximum {100 * calibration.mce:.2f} %"
    axes.set_title(f"expected calibration error {errors}", loc="left")
    axes.legend(loc="upper left")


def _draw_counts(axes: "Axes", calibration: Calibration) -> None:
    left, width = calibration.edges[:-1], np.diff(calibration.edges)
    axes.bar(left, calibration.counts, width, align="edge", color=GRAY, edgecolor="white")
    axes.set_yscale("log")
    axes.set(xlabel="confidence (probability of the predicted digit)", ylabel="predictions", ylim=(0.5, None))
    axes.yaxis.set_major_formatter("{x:,.0f}")
