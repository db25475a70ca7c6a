"""The fit loop: input pipeline, augmentation, precision, checkpoints."""

from experiments.training.backends import backend, backend_packages, require_tensorflow
from experiments.training.checkpoint import Checkpoint
from experiments.training.epoch import DivergedError, Epoch, best_epoch
from experiments.training.fit import Fit, check_feasible, fit
from experiments.training.memory import release_memory
from experiments.training.pipeline import augmented
from experiments.training.precision import resolve_precision

__all__ = [
    "Checkpoint",
    "DivergedError",
    "Epoch",
    "Fit",
    "augmented",
    "backend",
    "backend_packages",
    "best_epoch",
    "check_feasible",
    "fit",
    "release_memory",
    "require_tensorflow",
    "resolve_precision",
]
