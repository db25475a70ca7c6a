"""Figures and tables of results. Figure functions return matplotlib figures; saving them is the caller's."""

from experiments.reporting.accuracies import model_comparison
from experiments.reporting.confusion import confusion_heatmap
from experiments.reporting.curves import training_curves
from experiments.reporting.mistakes import misclassified_gallery, prediction_grid
from experiments.reporting.reliability import reliability_diagram
from experiments.reporting.samples import class_distribution, sample_grid
from experiments.reporting.style import network_colour
from experiments.reporting.tables import csv_text, markdown_table
from experiments.reporting.tuning import search_figures, search_page

__all__ = [
    "class_distribution",
    "confusion_heatmap",
    "csv_text",
    "markdown_table",
    "misclassified_gallery",
    "model_comparison",
    "network_colour",
    "prediction_grid",
    "reliability_diagram",
    "sample_grid",
    "search_figures",
    "search_page",
    "training_curves",
]
