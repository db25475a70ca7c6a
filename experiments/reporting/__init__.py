"""Figures, tables and pages. Only what other packages record and write is exported here."""

from experiments.reporting.recorded.analysis import analysis_drawings
from experiments.reporting.recorded.dataset import dataset_drawings
from experiments.reporting.recorded.evaluation import comparison_drawings, evaluation_drawings
from experiments.reporting.recorded.search import search_drawings
from experiments.reporting.recorded.training import training_drawings
from experiments.reporting.recorded.transfer import (
    adaptation_curve_drawing,
    transfer_comparison_drawings,
    transfer_drawings,
    transfer_matrix_drawing,
)
from experiments.reporting.search.page import search_page

__all__ = [
    "adaptation_curve_drawing",
    "analysis_drawings",
    "comparison_drawings",
    "dataset_drawings",
    "evaluation_drawings",
    "search_drawings",
    "search_page",
    "training_drawings",
    "transfer_comparison_drawings",
    "transfer_drawings",
    "transfer_matrix_drawing",
]
