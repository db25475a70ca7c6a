"""Adaptation to a target domain without its labels, by name."""

from collections.abc import Callable

from experiments.transfer.adaptation.adapted import Adapted, predictions
from experiments.transfer.adaptation.batch_norm import adabn, tent
from experiments.transfer.adaptation.self_training import self_training
from experiments.transfer.adaptation.shot import shot

ADAPTATIONS: dict[str, Callable[..., Adapted]] = {
    "adabn": adabn,
    "tent": tent,
    "shot": shot,
    "self-training": self_training,
}
"""Each method by its name on the command line: from (model, images, seed, on_step) to `Adapted`."""

__all__ = ["ADAPTATIONS", "Adapted", "adabn", "predictions", "self_training", "shot", "tent"]
