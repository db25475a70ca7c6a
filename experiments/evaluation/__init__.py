"""Evaluation of predictions: functions from arrays to numbers, which never see a network."""

from experiments.evaluation.calibration import Calibration, calibration
from experiments.evaluation.comparison import Comparison, compare, mcnemar
from experiments.evaluation.ensemble import Ensemble, ensemble
from experiments.evaluation.intervals import wilson_interval
from experiments.evaluation.metrics import Metrics, measure
from experiments.evaluation.multiple_tests import holm
from experiments.evaluation.predictions import misclassified, predictions_table

__all__ = [
    "Calibration",
    "Comparison",
    "Ensemble",
    "Metrics",
    "calibration",
    "compare",
    "ensemble",
    "holm",
    "mcnemar",
    "measure",
    "misclassified",
    "predictions_table",
    "wilson_interval",
]
