"""Digits to learn from: what data exists, and how it is found, verified, parsed, normalised and split.

>>> from experiments import datasets
>>> uci = datasets.load("uci")
>>> train, validation = datasets.split_validation(uci.train, fraction=0.1)
>>> train.as_float().shape
(1294, 28, 28, 1)
"""

from experiments.datasets.corruptions import CORRUPTIONS, Corruption, corrupt
from experiments.datasets.dataset import Dataset, Split
from experiments.datasets.download import Progress
from experiments.datasets.listing import Listing, catalog
from experiments.datasets.loading import check_trainable, fetch, load
from experiments.datasets.normalise import fit_to_mnist
from experiments.datasets.sources import DATASET_NAMES
from experiments.datasets.splits import sample, sample_indices, split_validation

__all__ = [
    "CORRUPTIONS",
    "DATASET_NAMES",
    "Corruption",
    "Dataset",
    "Listing",
    "Progress",
    "Split",
    "catalog",
    "check_trainable",
    "corrupt",
    "fetch",
    "fit_to_mnist",
    "load",
    "sample",
    "sample_indices",
    "split_validation",
]
