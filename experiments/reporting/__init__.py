"""Figures, tables and pages. Only what other packages draw and write is exported here."""

from experiments.reporting.figures.adaptation_curve import adaptation_curve
from experiments.reporting.figures.adaptation_gains import Gain, adaptation_gains
from experiments.reporting.figures.alignment_ablation import alignment_ablation
from experiments.reporting.figures.analysis import analysis_figures
from experiments.reporting.figures.class_changes import class_changes
from experiments.reporting.figures.confusion_heatmap import confusion_heatmap
from experiments.reporting.figures.corruption_heatmap import corruption_heatmap
from experiments.reporting.figures.few_shot_curves import few_shot_curves
from experiments.reporting.figures.mistakes import misclassified_gallery, prediction_grid
from experiments.reporting.figures.model_comparison import model_comparison
from experiments.reporting.figures.placed_map import placed_map
from experiments.reporting.figures.reliability_diagram import reliability_diagram
from experiments.reporting.figures.samples import class_distribution, sample_grid
from experiments.reporting.figures.search import search_figures, search_page
from experiments.reporting.figures.shift_chart import shift_chart
from experiments.reporting.figures.training_curves import training_curves
from experiments.reporting.figures.transfer_matrix import transfer_matrix
from experiments.reporting.tables import csv_text, markdown_table

__all__ = [
    "Gain",
    "adaptation_curve",
    "adaptation_gains",
    "alignment_ablation",
    "analysis_figures",
    "class_changes",
    "class_distribution",
    "confusion_heatmap",
    "corruption_heatmap",
    "csv_text",
    "few_shot_curves",
    "markdown_table",
    "misclassified_gallery",
    "model_comparison",
    "placed_map",
    "prediction_grid",
    "reliability_diagram",
    "sample_grid",
    "search_figures",
    "search_page",
    "shift_chart",
    "training_curves",
    "transfer_matrix",
]
