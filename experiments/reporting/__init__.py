"""Figures, tables and pages. Only what other packages draw and write is exported here."""

from experiments.reporting.figures.analysis import analysis_figures
from experiments.reporting.figures.confusion_heatmap import confusion_heatmap
from experiments.reporting.figures.mistakes import misclassified_gallery, prediction_grid
from experiments.reporting.figures.model_comparison import model_comparison
from experiments.reporting.figures.reliability_diagram import reliability_diagram
from experiments.reporting.figures.samples import class_distribution, sample_grid
from experiments.reporting.figures.search import search_figures, search_page
from experiments.reporting.figures.training_curves import training_curves
from experiments.reporting.figures.transfer import comparison_figures, curve_figure, matrix_figure, transfer_figures

__all__ = [
    "analysis_figures",
    "class_distribution",
    "comparison_figures",
    "confusion_heatmap",
    "curve_figure",
    "matrix_figure",
    "misclassified_gallery",
    "model_comparison",
    "prediction_grid",
    "reliability_diagram",
    "sample_grid",
    "search_figures",
    "search_page",
    "training_curves",
    "transfer_figures",
]
