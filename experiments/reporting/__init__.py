"""Figures and tables of results. Figure functions return matplotlib figures; saving them is the caller's."""

from experiments.reporting.accuracies import model_comparison
from experiments.reporting.adaptation_curve import adaptation_curve
from experiments.reporting.adaptation_gains import Gain, adaptation_gains
from experiments.reporting.alignment_ladder import alignment_ladder
from experiments.reporting.analysis import analysis_figures
from experiments.reporting.class_changes import class_changes
from experiments.reporting.cluster_count import cluster_count
from experiments.reporting.confusing import (
    ConfusingDigit,
    Neighbour,
    confusing_gallery,
    outlier_gallery,
    pairs_gallery,
)
from experiments.reporting.confusion import confusion_heatmap
from experiments.reporting.corruptions import corruption_heatmap
from experiments.reporting.curves import training_curves
from experiments.reporting.dendrogram import dendrogram
from experiments.reporting.domain_shift import shift_chart
from experiments.reporting.feature_heatmaps import centroid_distances, contingency_heatmap, measure_agreement
from experiments.reporting.feature_map import feature_map
from experiments.reporting.few_shot import few_shot_curves
from experiments.reporting.layout import Interval
from experiments.reporting.mistakes import misclassified_gallery, prediction_grid
from experiments.reporting.overlaid_curves import overlaid_curves
from experiments.reporting.picture_files import picture_size, reduce_colours, save_picture
from experiments.reporting.placed_map import placed_map
from experiments.reporting.reliability import reliability_diagram
from experiments.reporting.report import report_page
from experiments.reporting.report_lead import report_lead, report_title
from experiments.reporting.report_numbers import interval_text, number_text
from experiments.reporting.report_results import FORMAT, report_results, results_markdown, results_tables
from experiments.reporting.samples import class_distribution, sample_grid
from experiments.reporting.style import network_colour
from experiments.reporting.tables import csv_text, markdown_table
from experiments.reporting.trade_off import Cost, trade_off
from experiments.reporting.transfer_matrix import transfer_matrix
from experiments.reporting.tuning import search_figures, search_page

__all__ = [
    "FORMAT",
    "ConfusingDigit",
    "Cost",
    "Gain",
    "Interval",
    "Neighbour",
    "adaptation_curve",
    "adaptation_gains",
    "alignment_ladder",
    "analysis_figures",
    "centroid_distances",
    "class_changes",
    "class_distribution",
    "cluster_count",
    "confusing_gallery",
    "confusion_heatmap",
    "contingency_heatmap",
    "corruption_heatmap",
    "csv_text",
    "dendrogram",
    "feature_map",
    "few_shot_curves",
    "interval_text",
    "markdown_table",
    "measure_agreement",
    "misclassified_gallery",
    "model_comparison",
    "network_colour",
    "number_text",
    "outlier_gallery",
    "overlaid_curves",
    "pairs_gallery",
    "picture_size",
    "placed_map",
    "prediction_grid",
    "reduce_colours",
    "reliability_diagram",
    "report_lead",
    "report_page",
    "report_results",
    "report_title",
    "results_markdown",
    "results_tables",
    "sample_grid",
    "save_picture",
    "search_figures",
    "search_page",
    "shift_chart",
    "trade_off",
    "training_curves",
    "transfer_matrix",
]
