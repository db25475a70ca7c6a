"""The fit loop: input pipeline, augmentation, precision, checkpoints."""

from experiments.training.checkpoint import Checkpoint
from experiments.training.epoch import Epoch, best_epoch
from experiments.training.fit import Fit, fit
from experiments.training.precision import resolve_precision

__all__ = ["Checkpoint", "Epoch", "Fit", "best_epoch", "fit", "resolve_precision"]
