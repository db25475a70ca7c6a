"""Penultimate features: the outputs of the layer before the classifier."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from experiments.datasets import Split
from experiments.errors import UsageError

if TYPE_CHECKING:
    import keras

LAYER = "penultimate"
BATCH = 1000
MOST_DIMENSIONS = 128  # for neighbors and clusters


def feature_extractor(model: "keras.Model", name: str) -> "keras.Model":
    """Build a network with the same input whose outputs are (features, probabilities).

    Parameters
    ----------
    name
        Name of the network in error messages.

    Raises
    ------
    UsageError
        If the network has no layer ``penultimate`` with flat outputs.
    """
    import keras

    layers = [layer.name for layer in model.layers]
    if LAYER not in layers:
        raise UsageError(f"{name} has no layer {LAYER!r} to take features from; its layers are {', '.join(layers)}")
    output = model.get_layer(LAYER).output
    if len(output.shape) != 2:
        raise UsageError(f"the layer {LAYER!r} of {name} gives {output.shape[1:]} an image; features must be flat")
    return keras.Model(model.inputs, [output, model.outputs[0]])


def extract(
    extractor: "keras.Model",
    split: Split,
    features_file: Path,
    probabilities_file: Path,
    on_step: Callable[[int, int], None] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Compute features and probabilities of a split, write them to two ``.npy`` files, and memory-map those.

    Parameters
    ----------
    extractor
        A network from `feature_extractor`.
    split
        n >= 1 images.
    on_step
        Called with the number of images done and planned.

    Returns
    -------
    features float32 (n, d), probabilities float32 (n, 10), read-only.
    """
    files = (features_file, probabilities_file)
    widths = [output.shape[-1] for output in extractor.outputs]
    written = [
        np.lib.format.open_memmap(file, "w+", np.float32, (len(split), width))
        for file, width in zip(files, widths, strict=True)
    ]
    for start in range(0, len(split), BATCH):
        batch = slice(start, min(start + BATCH, len(split)))
        outputs = extractor.predict_on_batch(split.take(np.arange(batch.start, batch.stop)).as_float())
        for array, output in zip(written, outputs, strict=True):
            array[batch] = output
        if on_step:
            on_step(batch.stop, len(split))
    for array in written:
        array.flush()
    features, probabilities = (np.load(file, mmap_mode="r") for file in files)
    return features, probabilities


def check_features(features: NDArray[np.float32], name: str) -> None:
    """Check that features, float32 (n, d) of the network called `name`, can be analyzed.

    Raises
    ------
    UsageError
        If a feature is not finite, or all rows are equal.
    """
    for start in range(0, len(features), BATCH):
        if not np.isfinite(features[start : start + BATCH]).all():
            raise UsageError(f"{name} gives features that are not finite numbers; its training has diverged")
    if not (np.ptp(features, axis=0) > 0).any():
        raise UsageError(f"{name} gives every image the same features; there is nothing to analyze")


@dataclass(frozen=True, eq=False)
class ReducedFeatures:
    """Features in fewer dimensions.

    Attributes
    ----------
    points
        float32 (n, min(d, 128, n)).
    variance
        Proportion of the variance that is kept, in (0, 1].
    """

    points: NDArray[np.float32]
    variance: float


def reduce(features: NDArray[np.float32]) -> ReducedFeatures:
    """Reduce features, float32 (n, d), to at most 128 principal components.

    Distances between rows hardly change, and take less time to compute.
    """
    n, width = features.shape
    most = min(MOST_DIMENSIONS, n)
    if width <= most:
        return ReducedFeatures(np.ascontiguousarray(features, np.float32), 1.0)
    from sklearn.decomposition import PCA

    solver = "covariance_eigh" if n > width else "full"
    components = PCA(most, svd_solver=solver)
    reduced = components.fit_transform(np.asarray(features))
    variance = min(1.0, float(components.explained_variance_ratio_.sum()))
    return ReducedFeatures(np.ascontiguousarray(reduced, np.float32), variance)
