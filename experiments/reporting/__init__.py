"""Figures and tables of results. Figure functions return matplotlib figures; saving them is the caller's."""

from experiments.reporting.accuracies import model_comparison
from experiments.reporting.analysis import analysis_figures
from experiments.reporting.cluster_count import cluster_count
from experiments.reporting.confusing import (
    ConfusingDigit,
    Neighbour,
    confusing_gallery,
    outlier_gallery,
    pairs_gallery,
)
from experiments.reporting.confusion import confusion_heatmap
from experiments.reporting.curves import training_curves
from experiments.reporting.dendrogram import dendrogram
from experiments.reporting.feature_heatmaps import centroid_distances, contingency_heatmap, measure_agreement
from experiments.reporting.feature_map import feature_map
from experiments.reporting.mistakes import misclassified_gallery, prediction_grid
from experiments.reporting.reliability import reliability_diagram
from experiments.reporting.samples import class_distribution, sample_grid
from experiments.reporting.style import network_colour
from experiments.reporting.tables import csv_text, markdown_table
from experiments.reporting.tuning import search_figures, search_page

__all__ = [
    "ConfusingDigit",
    "Neighbour",
    "analysis_figures",
    "centroid_distances",
    "class_distribution",
    "cluster_count",
    "confusing_gallery",
    "confusion_heatmap",
    "contingency_heatmap",
    "csv_text",
    "dendrogram",
    "feature_map",
    "markdown_table",
    "measure_agreement",
    "misclassified_gallery",
    "model_comparison",
    "network_colour",
    "outlier_gallery",
    "pairs_gallery",
    "prediction_grid",
    "reliability_diagram",
    "sample_grid",
    "search_figures",
    "search_page",
    "training_curves",
]
