"""What a network makes of an image before it decides: the outputs of its layer ``penultimate``."""

from collections.abc import Callable
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
MOST_DIMENSIONS = 128  # that neighbours and clusters are sought in


def feature_extractor(model: "keras.Model", name: str) -> "keras.Model":
    """Return a network with the same input that gives (features, probabilities).

    Parameters
    ----------
    name
        What the user calls the network, for the error.

    Raises
    ------
    UsageError
        When it has no layer ``penultimate`` of flat outputs, naming the layers it has.
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
    """Write features and probabilities of a split to two ``.npy`` files and return them memory-mapped.

    Parameters
    ----------
    extractor
        From `feature_extractor`.
    split
        n >= 1 images.
    on_step
        Called with the images done and their number.

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
        for whole, part in zip(written, outputs, strict=True):
            whole[batch] = part
        if on_step:
            on_step(batch.stop, len(split))
    for whole in written:
        whole.flush()
    features, probabilities = (np.load(file, mmap_mode="r") for file in files)
    return features, probabilities


def check_features(features: NDArray[np.float32], name: str) -> None:
    """Refuse features, float32 (n, d) of the network called `name`, in which there is nothing to find.

    Raises
    ------
    UsageError
        When some are not finite, or all rows are the same.
    """
    for start in range(0, len(features), BATCH):
        if not np.isfinite(features[start : start + BATCH]).all():
            raise UsageError(f"{name} gives features that are not finite numbers; its training has diverged")
    if not (np.ptp(features, axis=0) > 0).any():
        raise UsageError(f"{name} gives every image the same features; there is nothing to analyze")


def reduce(features: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    """Return features in at most 128 dimensions, and the share of their variance that is kept.

    Wider ones become their principal components: distances hardly change, and cost a fraction.

    Parameters
    ----------
    features
        float32 (n, d).

    Returns
    -------
    float32 (n, min(d, 128, n)), and a number in (0, 1].
    """
    n, wide = features.shape
    most = min(MOST_DIMENSIONS, n)
    if wide <= most:
        return np.ascontiguousarray(features, np.float32), 1.0
    from sklearn.decomposition import PCA

    solver = "covariance_eigh" if n > wide else "full"
    components = PCA(most, svd_solver=solver)
    reduced = components.fit_transform(np.asarray(features))
    return np.ascontiguousarray(reduced, np.float32), min(1.0, float(components.explained_variance_ratio_.sum()))
