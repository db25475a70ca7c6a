"""`digits train`."""

from experiments.workflows.train.many import AllOptions, SeedsResult, train_all, train_seeds
from experiments.workflows.train.run import TrainOptions, TrainResult, train

__all__ = ["AllOptions", "SeedsResult", "TrainOptions", "TrainResult", "train", "train_all", "train_seeds"]
