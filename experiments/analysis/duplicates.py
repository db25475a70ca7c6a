"""Test images that are nearly identical to a training image."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.neighbors import nearest_to

NEAR_DUPLICATE = 0.25  # of the median distance of a test image to its nearest training image


@dataclass(frozen=True, eq=False)
class Duplicates:
    """Pairs of a test image and its nearest training image, compared pixel by pixel.

    Attributes
    ----------
    test, train
        Indices of m pairs, int64 (m,), most similar first.
    distances
        Root mean square difference of the pixels, float32 (m,), in [0, 1].
    threshold, median
        Largest distance at which a pair is reported: a quarter of the median over all test images.
    labels_differ
        Whether the labels of a pair differ, bool (m,).
    """

    test: NDArray[np.int64]
    train: NDArray[np.int64]
    distances: NDArray[np.float32]
    threshold: float
    median: float
    labels_differ: NDArray[np.bool_]


def near_duplicates(
    train: NDArray[np.uint8], train_labels: NDArray[np.int64], test: NDArray[np.uint8], test_labels: NDArray[np.int64]
) -> Duplicates:
    """Find test images (m, 28, 28) that are nearly identical to one of the training images (n, 28, 28)."""
    pixels = [images.reshape(len(images), -1).astype(np.float32) / np.float32(255) for images in (train, test)]
    found = nearest_to(pixels[1], pixels[0], 1)
    distances = found.distances[:, 0] / np.sqrt(pixels[0].shape[1])
    median = float(np.median(distances))
    similar = np.argsort(distances, kind="stable")
    similar = similar[distances[similar] <= NEAR_DUPLICATE * median]
    matches = found.indices[similar, 0].astype(np.int64)
    return Duplicates(
        test=similar,
        train=matches,
        distances=distances[similar],
        threshold=NEAR_DUPLICATE * median,
        median=median,
        labels_differ=test_labels[similar] != train_labels[matches],
    )
