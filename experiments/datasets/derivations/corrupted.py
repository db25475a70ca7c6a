"""``<name>-c``: the test split under each corruption of MNIST-C."""

from dataclasses import replace

import numpy as np

from experiments.datasets.corruptions import CORRUPTIONS
from experiments.datasets.corruptions.corrupting import corrupt
from experiments.datasets.dataset import Dataset, Split, joined
from experiments.datasets.derivations.derivation import Derivation

CORRUPTED_TRANSFORM = "corrupted"
"""The transform of a dataset whose test digits are corrupted."""


def with_corrupted_test(data: Dataset) -> Dataset:
    """Keep the training split and corrupt the test split with each corruption in turn.

    The test digit i of n is at ``k * n + i`` under the k-th of `CORRUPTIONS`. The seed is 0: the dataset is the same in
    every run.
    """
    splits = [corrupt(data.test, name) for name in CORRUPTIONS]
    test = Split(np.concatenate([s.images for s in splits]), np.concatenate([s.labels for s in splits]))
    return replace(data, test=test, transform=joined(data.transform, CORRUPTED_TRANSFORM))


CORRUPTED = Derivation(
    suffix="-c",
    description=f"the test digits under each of the {len(CORRUPTIONS)} corruptions of MNIST-C",
    trainable=False,
    make=with_corrupted_test,
    uses=tuple(corruption.apply for corruption in CORRUPTIONS.values()),
)
