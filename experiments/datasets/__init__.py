"""Digits to learn from: what data exists, and how it is found, verified, parsed, normalised and split.

>>> from experiments import datasets
>>> uci = datasets.load("uci")
>>> train, validation = datasets.split_validation(uci.train, fraction=0.1)
>>> train.as_float().shape
(1294, 28, 28, 1)
"""

from experiments.datasets.alignment import ALIGNMENTS, Alignment
from experiments.datasets.corruptions import CORRUPTED, CORRUPTIONS, Corruption, corrupt
from experiments.datasets.dataset import Dataset, Digits, Split, Unlabelled
from experiments.datasets.derived import DATASET_NAMES, DERIVATIONS, DERIVED, Derivation
from experiments.datasets.deskewing import DESKEWED, deskew
from experiments.datasets.download import DownloadProgress
from experiments.datasets.listing import Listing, catalog
from experiments.datasets.loading import check_trainable, fetch, load, load_target
from experiments.datasets.normalise import fit_to_mnist
from experiments.datasets.splits import sample, sample_indices, split_validation
from experiments.datasets.strokes import match_stroke_width, stroke_width

__all__ = [
    "ALIGNMENTS",
    "CORRUPTED",
    "CORRUPTIONS",
    "DATASET_NAMES",
    "DERIVATIONS",
    "DERIVED",
    "DESKEWED",
    "Alignment",
    "Corruption",
    "Dataset",
    "Derivation",
    "Digits",
    "DownloadProgress",
    "Listing",
    "Split",
    "Unlabelled",
    "catalog",
    "check_trainable",
    "corrupt",
    "deskew",
    "fetch",
    "fit_to_mnist",
    "load",
    "load_target",
    "match_stroke_width",
    "sample",
    "sample_indices",
    "split_validation",
    "stroke_width",
]
