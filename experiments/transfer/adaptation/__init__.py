"""Adaptation to a target domain without labels: the registry of methods. A method is one file and one line here."""

from experiments.transfer.adaptation.adabn import ADABN
from experiments.transfer.adaptation.adaptation import Adaptation
from experiments.transfer.adaptation.self_training import SELF_TRAINING
from experiments.transfer.adaptation.shot import SHOT
from experiments.transfer.adaptation.tent import TENT

ADAPTATIONS: dict[str, Adaptation] = {method.name: method for method in (ADABN, TENT, SHOT, SELF_TRAINING)}
"""Each method by its name on the command line."""

__all__ = ["ADAPTATIONS", "Adaptation"]
