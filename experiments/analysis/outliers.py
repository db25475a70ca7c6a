"""Digits that lie far from all others."""

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.neighbors import Neighbors

OUTLIER_NEIGHBOR = 10


def outlier_scores(neighbors: Neighbors) -> NDArray[np.float64]:
    """Compute the robust z-score (n,) of the log distance of each point to its 10th nearest neighbor.

    The distance to the k-th neighbor is the outlier measure of Ramaswamy et al. (2000). Scores above about 4 are rare.
    """
    logs = np.log(neighbors.distances[:, min(OUTLIER_NEIGHBOR, neighbors.k) - 1].astype(np.float64) + 1e-12)
    spread = float(np.median(np.abs(logs - np.median(logs)))) * 1.4826  # the standard deviation of a normal variable
    return (logs - np.median(logs)) / (spread or 1.0)
