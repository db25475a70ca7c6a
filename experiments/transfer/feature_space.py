"""Source and target in a model's feature space: comparable samples, and both on one map."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments import datasets
from experiments.analysis import embed, nearest, neighbors_needed
from experiments.datasets import Split
from experiments.transfer.adaptation.adaptation import OnStep
from experiments.transfer.domain import Domain
from experiments.transfer.new_points import embed_new_points

if TYPE_CHECKING:
    import keras

MAX_COMPARED = 10_000  # images of a domain whose features are compared and mapped
FORWARD_BATCH = 1000

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SharedMap:
    """Images of the target on the t-SNE map of the source's test images.

    Attributes
    ----------
    source, source_labels
        Positions float32 (n, 3) of source images, and their labels int64 (n,).
    target, target_indices
        Positions float32 (m, 3) of target test images, and the indices of these, int64 (m,).
    """

    source: Array
    source_labels: NDArray[np.int64]
    target: Array
    target_indices: NDArray[np.int64]


def compared_indices(source_test: Split, target: Domain) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the indices of the test images of source and target to compare.

    If images come in several variants, one variant is taken of each, so that all are independent; and every second
    image of the source and the others of the target, because these may be variants of the same images.
    """
    source, rng = datasets.sample_indices(source_test, MAX_COMPARED), np.random.default_rng(0)
    if target.variants == 1:
        return source, np.sort(rng.permutation(len(target.images))[:MAX_COMPARED])
    n = len(target.images) // target.variants
    odd = np.arange(1, n, 2)
    return source[source % 2 == 0], rng.integers(target.variants, size=len(odd)) * n + odd


def extract_features(extractor: "keras.Model", images: NDArray[np.uint8]) -> Array:
    """Extract the penultimate features float32 (n, d) of images with `experiments.analysis.feature_extractor`."""
    batches = np.split(images, range(FORWARD_BATCH, len(images), FORWARD_BATCH))
    parts = [extractor.predict_on_batch(np.divide(batch[..., None], np.float32(255)))[0] for batch in batches]
    return np.ascontiguousarray(np.concatenate(parts), np.float32)


def embed_domains(source_features: Array, target_features: Array, on_step: OnStep | None = None) -> dict[str, Array]:
    """Embed the source with t-SNE, and then the target on the same map: arrays ``source`` and ``target``."""
    neighbors = nearest(source_features, neighbors_needed(len(source_features)))
    source = embed(source_features, neighbors, on_step=on_step).positions
    return {"source": source, "target": embed_new_points(source, source_features, target_features)}
