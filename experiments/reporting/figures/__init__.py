"""Figures: one function of plain data in one file each. A new one is a file and a line here."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from experiments.reporting.figures.adaptation_curve import adaptation_curve
from experiments.reporting.figures.adaptation_gains import adaptation_gains
from experiments.reporting.figures.alignment_ablation import alignment_ablation
from experiments.reporting.figures.centroid_distances import centroid_distances
from experiments.reporting.figures.class_changes import class_changes
from experiments.reporting.figures.class_distribution import class_distribution
from experiments.reporting.figures.cluster_count import cluster_count
from experiments.reporting.figures.confusing_gallery import confusing_gallery
from experiments.reporting.figures.confusion_heatmap import confusion_heatmap
from experiments.reporting.figures.confusion_panels import confusion_panels
from experiments.reporting.figures.contingency_heatmap import contingency_heatmap
from experiments.reporting.figures.corruption_heatmap import corruption_heatmap
from experiments.reporting.figures.dendrogram import dendrogram
from experiments.reporting.figures.feature_map import feature_map
from experiments.reporting.figures.few_shot_curves import few_shot_curves
from experiments.reporting.figures.learning_curves import learning_curves
from experiments.reporting.figures.measure_agreement import measure_agreement
from experiments.reporting.figures.misclassified_gallery import misclassified_gallery
from experiments.reporting.figures.model_comparison import model_comparison
from experiments.reporting.figures.outlier_gallery import outlier_gallery
from experiments.reporting.figures.pairs_gallery import pairs_gallery
from experiments.reporting.figures.placed_map import placed_map
from experiments.reporting.figures.placed_panels import placed_panels
from experiments.reporting.figures.prediction_grid import prediction_grid
from experiments.reporting.figures.reliability_diagram import reliability_diagram
from experiments.reporting.figures.reliability_panels import reliability_panels
from experiments.reporting.figures.sample_grid import sample_grid
from experiments.reporting.figures.search_contour import search_contour
from experiments.reporting.figures.search_history import search_history
from experiments.reporting.figures.search_importances import search_importances
from experiments.reporting.figures.search_parallel_coordinates import search_parallel_coordinates
from experiments.reporting.figures.search_slice import search_slice
from experiments.reporting.figures.shift_chart import shift_chart
from experiments.reporting.figures.trade_off import trade_off
from experiments.reporting.figures.training_curves import training_curves
from experiments.reporting.figures.transfer_matrix import transfer_matrix

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES: "dict[str, Callable[..., Figure]]" = {
    "adaptation_curve": adaptation_curve,
    "adaptation_gains": adaptation_gains,
    "alignment_ablation": alignment_ablation,
    "centroid_distances": centroid_distances,
    "class_changes": class_changes,
    "class_distribution": class_distribution,
    "cluster_count": cluster_count,
    "confusing_gallery": confusing_gallery,
    "confusion_heatmap": confusion_heatmap,
    "confusion_panels": confusion_panels,
    "contingency_heatmap": contingency_heatmap,
    "corruption_heatmap": corruption_heatmap,
    "dendrogram": dendrogram,
    "feature_map": feature_map,
    "few_shot_curves": few_shot_curves,
    "learning_curves": learning_curves,
    "measure_agreement": measure_agreement,
    "misclassified_gallery": misclassified_gallery,
    "model_comparison": model_comparison,
    "outlier_gallery": outlier_gallery,
    "pairs_gallery": pairs_gallery,
    "placed_map": placed_map,
    "placed_panels": placed_panels,
    "prediction_grid": prediction_grid,
    "reliability_diagram": reliability_diagram,
    "reliability_panels": reliability_panels,
    "sample_grid": sample_grid,
    "search_contour": search_contour,
    "search_history": search_history,
    "search_importances": search_importances,
    "search_parallel_coordinates": search_parallel_coordinates,
    "search_slice": search_slice,
    "shift_chart": shift_chart,
    "trade_off": trade_off,
    "training_curves": training_curves,
    "transfer_matrix": transfer_matrix,
}
