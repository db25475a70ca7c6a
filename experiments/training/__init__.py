"""The fit loop: input pipeline, augmentation, precision, checkpoints."""

from experiments.training.checkpoint import Checkpoint
from experiments.training.epoch import DivergedError, Epoch, best_epoch
from experiments.training.fit import Fit, check_feasible, fit
from experiments.training.memory import release_memory
from experiments.training.precision import resolve_precision

__all__ = [
    "Checkpoint",
    "DivergedError",
    "Epoch",
    "Fit",
    "best_epoch",
    "check_feasible",
    "fit",
    "release_memory",
    "resolve_precision",
]
