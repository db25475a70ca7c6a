"""Adaptation to a target domain without its labels, by name."""

from collections.abc import Callable, Mapping

from experiments.transfer.adaptation.adapted import Adapted, predictions
from experiments.transfer.adaptation.batch_norm import ADABN_SETTINGS, TENT_SETTINGS, adabn, tent
from experiments.transfer.adaptation.self_training import SELF_TRAINING_SETTINGS, self_training
from experiments.transfer.adaptation.shot import SHOT_SETTINGS, shot

ADAPTATIONS: dict[str, Callable[..., Adapted]] = {
    "adabn": adabn,
    "tent": tent,
    "shot": shot,
    "self-training": self_training,
}
"""Each method by its name on the command line: from (model, images, seed, on_step) to `Adapted`."""

SETTINGS: dict[str, Mapping[str, float]] = {
    "adabn": ADABN_SETTINGS,
    "tent": TENT_SETTINGS,
    "shot": SHOT_SETTINGS,
    "self-training": SELF_TRAINING_SETTINGS,
}
"""What each method was used with, for the record."""

__all__ = ["ADAPTATIONS", "SETTINGS", "Adapted", "adabn", "predictions", "self_training", "shot", "tent"]
