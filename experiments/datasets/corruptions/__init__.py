"""The fifteen corruptions of MNIST-C (Mu, Gilmer 2019, arXiv 1906.02337): digits after a bad pen, camera or day.

>>> from experiments.datasets import load
>>> from experiments.datasets.corruptions import CORRUPTIONS, corrupt
>>> test = load("uci").test
>>> foggy = corrupt(test, "fog")
>>> bool((foggy.labels == test.labels).all())
True
>>> len(CORRUPTIONS)
15
"""

from experiments.datasets.corruptions.corruption import Corruption
from experiments.datasets.corruptions.suite import CORRUPTED, CORRUPTIONS, corrupt, with_corrupted_test

__all__ = ["CORRUPTED", "CORRUPTIONS", "Corruption", "corrupt", "with_corrupted_test"]
