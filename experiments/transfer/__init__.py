"""A trained network in a new domain: what it loses there, why, and what mends it without labels or with few."""

from experiments.transfer.adaptation import ADAPTATIONS, SETTINGS, predictions
from experiments.transfer.explanation import explain
from experiments.transfer.few_shot import SEEDS, FewShot, draw, learn
from experiments.transfer.findings import Domain, Findings, Interval, Outcome, Rung, fixed_rung, mean_entropy, outcome
from experiments.transfer.placement import place
from experiments.transfer.robustness import (
    BASELINE,
    correct_by_corruption,
    interval_over_views,
    mean_corruption_error,
)
from experiments.transfer.shift import Shift, shift
from experiments.transfer.transfers import Adaptation, Deskewed, Transfer

__all__ = [
    "ADAPTATIONS",
    "BASELINE",
    "SEEDS",
    "SETTINGS",
    "Adaptation",
    "Deskewed",
    "Domain",
    "FewShot",
    "Findings",
    "Interval",
    "Outcome",
    "Rung",
    "Shift",
    "Transfer",
    "correct_by_corruption",
    "draw",
    "explain",
    "fixed_rung",
    "interval_over_views",
    "learn",
    "mean_corruption_error",
    "mean_entropy",
    "outcome",
    "place",
    "predictions",
    "shift",
]
