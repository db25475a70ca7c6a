"""Figures of evaluations."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from experiments import evaluation
from experiments.datasets import Split
from experiments.evaluation import Comparison, Metrics
from experiments.reporting.drawing import Drawing
from experiments.reporting.figure_parts.captioned_grid import GRID_CELLS
from experiments.reporting.figure_parts.layout import Interval
from experiments.reporting.figures.confusion_heatmap import confusion_heatmap
from experiments.reporting.figures.misclassified_gallery import MAX_SHOWN, misclassified_gallery
from experiments.reporting.figures.model_comparison import model_comparison
from experiments.reporting.figures.prediction_grid import prediction_grid
from experiments.reporting.figures.reliability_diagram import reliability_diagram


def evaluation_drawings(
    test: Split, probabilities: NDArray[np.float32], confusion: NDArray[np.int64], title: str
) -> dict[str, Drawing]:
    """Return the figures of the evaluation of a model by name.

    Parameters
    ----------
    test
        Images and their labels.
    probabilities
        Predictions for them, (n, 10).
    confusion
        Confusion matrix of these, int64 (10, 10).
    title
        Names model and data in the titles.
    """
    first = test.take(range(min(GRID_CELLS, len(test))))
    samples = Drawing.of(
        prediction_grid, first.images, first.labels, probabilities[:GRID_CELLS], f"{title}: first digits"
    )
    return {**prediction_drawings(test, probabilities, confusion, title), "sample_predictions": samples}


def prediction_drawings(
    test: Split, probabilities: NDArray[np.float32], confusion: NDArray[np.int64], title: str
) -> dict[str, Drawing]:
    """Return the figures of predictions by name: confusion, mistakes and calibration."""
    mistakes = evaluation.misclassified(test.labels, probabilities)
    calibration = evaluation.calibration(test.labels, probabilities)
    gallery = f"{title}: misclassified, most confident first"
    return {
        "confusion": Drawing.of(confusion_heatmap, confusion, False, f"{title}: confusion"),
        "confusion_normalized": Drawing.of(confusion_heatmap, confusion, True, f"{title}: confusion, % of each digit"),
        "misclassified": mistakes_drawing(test, probabilities, mistakes, gallery),
        "reliability": Drawing.of(reliability_diagram, calibration, f"{title}: reliability"),
    }


def comparison_drawings(
    test: Split, probabilities: Mapping[str, NDArray[np.float32]], comparison: Comparison, title: str
) -> dict[str, Drawing]:
    """Return the figures that compare models on the same images by name.

    Parameters
    ----------
    test
        Images and their labels.
    probabilities
        Predictions of each model for them, (n, 10).
    comparison
        Comparison of these.
    title
        Names the data in the titles.
    """
    accuracies = {model: accuracy_interval(metrics) for model, metrics in comparison.rows.items()}
    best = max(accuracies, key=lambda model: accuracies[model][0])
    missed, found = comparison.missed_by_all, probabilities[best]
    order = missed[np.argsort(-found[missed].max(axis=1), kind="stable")]
    gallery = f"{title}: misclassified by all, predictions of {best}, most confident first"
    return {
        "comparison": Drawing.of(model_comparison, accuracies, f"Accuracy on {title}"),
        "missed_by_all": mistakes_drawing(test, found, order, gallery),
    }


def mistakes_drawing(test: Split, probabilities: NDArray[np.float32], order: NDArray[np.int64], title: str) -> Drawing:
    """Return the gallery of the mistakes at the indices `order`."""
    shown = order[:MAX_SHOWN]
    mistakes = test.take(shown)
    return Drawing.of(
        misclassified_gallery, mistakes.images, shown, mistakes.labels, probabilities[shown], len(order), title
    )


def accuracy_interval(metrics: Metrics | None) -> Interval:
    """Return an accuracy with the bounds of its 95 % interval; NaN without labels."""
    if metrics is None:
        return (float("nan"),) * 3
    return metrics.accuracy, metrics.accuracy_low, metrics.accuracy_high
