"""How good predictions are: functions from arrays to numbers, which never see a network."""

from experiments.evaluation.calibration import Calibration, calibration
from experiments.evaluation.comparison import Comparison, McNemar, Pair, compare, mcnemar
from experiments.evaluation.intervals import wilson_interval
from experiments.evaluation.metrics import ClassMetrics, Metrics, measure
from experiments.evaluation.multiple_tests import holm
from experiments.evaluation.predictions import misclassified, predictions_table

__all__ = [
    "Calibration",
    "ClassMetrics",
    "Comparison",
    "McNemar",
    "Metrics",
    "Pair",
    "calibration",
    "compare",
    "holm",
    "mcnemar",
    "measure",
    "misclassified",
    "predictions_table",
    "wilson_interval",
]
