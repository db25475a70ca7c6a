"""All that an analysis found of one network, in arrays and numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.agreement import Agreement
from experiments.analysis.closeness import Closeness
from experiments.analysis.clusters import CountChoice, Tree
from experiments.analysis.confusing import Ranking
from experiments.analysis.embedding import Embedding, Quality
from experiments.analysis.oddities import Centroids, Duplicates

TRAIN, TEST, BOTH = "train", "test", "both"
SPLITS = (TRAIN, TEST)
METHODS = MappingProxyType({"kmeans": "KMeans", "ward": "Ward"})


@dataclass(frozen=True, eq=False)
class Digits:
    """The n digits of an analysis: those of the training split, then those of the test split.

    Attributes
    ----------
    images
        uint8 (n, 28, 28).
    labels
        int64 (n,).
    index
        int64 (n,): where each stands in its split of the data set.
    train
        How many are of the training split.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    index: NDArray[np.int64]
    train: int

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, split: str) -> slice:
        """Return where the digits of ``train`` or ``test`` stand."""
        return slice(0, self.train) if split == TRAIN else slice(self.train, len(self))


@dataclass(frozen=True, eq=False)
class Confusing:
    """The confusing digits of one split.

    Attributes
    ----------
    ranking
        Measures, scores and order.
    closeness
        The nearest digits of the own class and of others, as positions in the training split of the analysis.
    probabilities
        float32 (n, 10), of a network that had not learned from the digit.
    seen_by
        Which network that was.
    """

    ranking: Ranking
    closeness: Closeness
    probabilities: NDArray[np.float32]
    seen_by: str


@dataclass(frozen=True, eq=False)
class Findings:
    """What one network's feature space holds.

    Attributes
    ----------
    name
        Of the network, for the reader.
    digits
        What was analyzed.
    probabilities
        float32 (n, 10), of the network itself.
    dimensions, reduced, variance
        Width of the features, that of the points all stages work on, and the share of variance they keep.
    embedding, quality
        The map, and how far it can be trusted.
    count, tree
        KMeans for each number of clusters, and Ward's hierarchy.
    exact_agreement, exact_sample
        Adjusted Rand index of Ward over neighbours with exact Ward, and the size of the sample it was taken on.
    agreements
        By method (``kmeans``, ``ward``), number of clusters and part (``train``, ``test``, ``both``).
    confusing
        By split.
    centroids, duplicates, outliers
        Class means; test digits that training has too; how far out each digit lies, float64 (n,).
    traits
        float64 (n,) by name.
    """

    name: str
    digits: Digits
    probabilities: NDArray[np.float32]
    dimensions: int
    reduced: int
    variance: float
    embedding: Embedding
    quality: Quality
    count: CountChoice
    tree: Tree
    exact_agreement: float
    exact_sample: int
    agreements: Mapping[tuple[str, int, str], Agreement]
    confusing: Mapping[str, Confusing]
    centroids: Centroids
    duplicates: Duplicates
    outliers: NDArray[np.float64]
    traits: Mapping[str, NDArray[np.float64]]

    @property
    def counts(self) -> tuple[int, ...]:
        """Numbers of clusters reported: ten, and the one chosen where that is another."""
        ten = 10 if 10 in self.count.groupings else max(self.count.counts)
        return (ten,) if self.count.best == ten else (ten, self.count.best)

    def clusters(self, method: str, k: int) -> NDArray[np.int64]:
        """Return the cluster (n,) of each digit by ``kmeans`` or ``ward``."""
        return self.count.groupings[k] if method == "kmeans" else self.tree.cut(k)
