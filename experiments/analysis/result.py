"""The analysis of one network's feature space: everything that figures, text and results are made of."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.centroids import Centroids
from experiments.analysis.cluster_metrics import ClusterMetrics
from experiments.analysis.clusters import CountChoice, Tree
from experiments.analysis.confusing import ConfusingDigits
from experiments.analysis.digits import AnalyzedDigits
from experiments.analysis.duplicates import Duplicates
from experiments.analysis.embedding import Embedding, Quality


@dataclass(frozen=True, eq=False)
class Analysis:
    """The analysis of one network's feature space.

    Attributes
    ----------
    name, label
        The network's version or file, and its name in tables.
    digits
        The digits that were analyzed.
    probabilities
        float32 (n, 10), of the network itself.
    dimensions, reduced, variance
        Number of features, number of dimensions that they were reduced to, and proportion of the variance kept.
    embedding, quality
        The embedding and its quality.
    choice, tree
        KMeans for each number of clusters, and Ward's hierarchy.
    exact_agreement, exact_sample
        Adjusted Rand index of Ward over nearest neighbors with exact Ward, and the size of the sample for it.
    groupings
        Clusters (n,) by method (``kmeans``, ``ward``) and number of clusters.
    cluster_metrics
        By method, number of clusters and split (``train``, ``test``, ``both``).
    confusing
        By split.
    centroids, duplicates
        Class means, and test digits that are nearly identical to a training digit.
    outliers
        Outlier score of each digit, float64 (n,).
    attributes
        Attributes of the images, float64 (n,) by name.
    """

    name: str
    label: str
    digits: AnalyzedDigits
    probabilities: NDArray[np.float32]
    dimensions: int
    reduced: int
    variance: float
    embedding: Embedding
    quality: Quality
    choice: CountChoice
    tree: Tree
    exact_agreement: float
    exact_sample: int
    groupings: Mapping[tuple[str, int], NDArray[np.int64]]
    cluster_metrics: Mapping[tuple[str, int, str], ClusterMetrics]
    confusing: Mapping[str, ConfusingDigits]
    centroids: Centroids
    duplicates: Duplicates
    outliers: NDArray[np.float64]
    attributes: Mapping[str, NDArray[np.float64]]
