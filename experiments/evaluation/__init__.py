"""How good predictions are: functions from arrays to numbers, which never see a network."""

from experiments.evaluation.calibration import Calibration, calibration
from experiments.evaluation.comparison import Comparison, McNemar, Pair, compare, mcnemar
from experiments.evaluation.ensemble import Ensemble, ensemble
from experiments.evaluation.intervals import wilson_interval
from experiments.evaluation.metrics import ClassMetrics, Metrics, measure
from experiments.evaluation.multiple_tests import holm
from experiments.evaluation.predictions import misclassified, predictions_table

__all__ = [
    "Calibration",
    "ClassMetrics",
    "Comparison",
    "Ensemble",
    "McNemar",
    "Metrics",
    "Pair",
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
