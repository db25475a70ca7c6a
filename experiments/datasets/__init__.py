"""Datasets of digits: available data, found, verified, parsed, aligned and split.

>>> from experiments import datasets
>>> uci = datasets.load("uci")
>>> train, validation = datasets.split_validation(uci.train, fraction=0.1)
>>> train.as_float().shape
(1294, 28, 28, 1)
"""

from experiments.datasets.dataset import CLASSES, Dataset, Split, Unlabelled
from experiments.datasets.derivations import DATASET_NAMES, DERIVED
from experiments.datasets.listing import catalog
from experiments.datasets.loading import check_trainable, fetch, load, load_target
from experiments.datasets.splits import concatenate, sample, sample_indices, split_validation

__all__ = [
    "CLASSES",
    "DATASET_NAMES",
    "DERIVED",
    "Dataset",
    "Split",
    "Unlabelled",
    "catalog",
    "check_trainable",
    "concatenate",
    "fetch",
    "load",
    "load_target",
    "sample",
    "sample_indices",
    "split_validation",
]
