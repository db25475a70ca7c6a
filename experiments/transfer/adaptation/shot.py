"""SHOT (source hypothesis transfer): new features for a fixed classifier."""

from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.errors import UsageError
from experiments.transfer.adaptation.adaptation import Adaptation, Adapted, OnStep
from experiments.transfer.adaptation.curve import AdaptationCurve
from experiments.transfer.adaptation.descent import Descent, shuffled
from experiments.transfer.adaptation.networks import copy_of, copy_to_adapt, layers_of, scaled
from experiments.transfer.adaptation.objectives import cross_entropy, diversity, mean_entropy

if TYPE_CHECKING:
    import keras

# The settings for digits of the paper and its code, uda_digit.py of github.com/tim-learn/SHOT.
EPOCHS = 30
BATCH = 64
RATE = 0.01
MOMENTUM = 0.9
WEIGHT_DECAY = 1e-3
STATISTICS_MEMORY = 0.9  # of batch norm, as in PyTorch; the default of Keras is 0.99
PSEUDO_LABELS = 0.1  # weight of their cross-entropy
FORWARD_BATCH = 1000


def shot(
    model: "keras.Model",
    images: NDArray[np.uint8],
    seed: int = 0,
    on_step: OnStep | None = None,
    epochs: int = EPOCHS,
) -> Adapted:
    """Train all layers but the classifier by information maximization and pseudo-labels.

    Liang, Hu & Feng (2020), "Do we really need to access the source data? Source hypothesis transfer for unsupervised
    domain adaptation": information maximization, and pseudo-labels from the nearest class centroid in feature space,
    recomputed before every epoch. The classifier is the last layer with weights.

    Parameters
    ----------
    model
        A network with weights before its classifier.
    images
        Unlabelled target images, uint8 (n, 28, 28), n >= 2.
    seed
        Seed of the order of the images and of dropout.
    on_step
        Called with the epochs done and planned.
    epochs
        Number of epochs, over which the learning rate falls.

    Raises
    ------
    UsageError
        If the network has a single layer, or there are too few images.
    DivergedError
        If the objective or the predictions are not finite.
    """
    import keras
    import tensorflow as tf

    start, working, curve = perf_counter(), copy_to_adapt(model, images, seed), AdaptationCurve()
    for layer in layers_of(working):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = STATISTICS_MEMORY
    both = _features_and_probabilities(working)
    classifier = {id(weight) for weight in _classifier(working).weights}
    weights = [weight for weight in working.trainable_weights if id(weight) not in classifier]
    if not weights:
        raise UsageError("it has no layer with weights before its classifier")
    pixels, targets = tf.constant(images), tf.Variable(tf.zeros(len(images), tf.int64))

    def objective(chosen: Any) -> dict[str, Any]:
        probabilities = working(scaled(tf.gather(pixels, chosen)), training=True)
        sure, spread = mean_entropy(probabilities), diversity(probabilities)
        labels = tf.reduce_mean(cross_entropy(probabilities, tf.gather(targets, chosen)))
        loss = sure - spread + PSEUDO_LABELS * labels
        return {"loss": loss, "diversity": spread, "pseudo_label_loss": labels}

    rng = np.random.default_rng(seed)
    steps = epochs * len(shuffled(len(images), BATCH, rng))

    def rate() -> Any:
        return RATE * (1 + 10 * tf.cast(optimizer.iterations + 1, tf.float32) / steps) ** -0.75

    optimizer = keras.optimizers.SGD(rate, momentum=MOMENTUM, nesterov=True)
    descent = Descent(weights, optimizer, objective, WEIGHT_DECAY)
    before: NDArray[np.int64] | None = None
    for epoch in range(epochs):
        features, probabilities = _forward(both, images)
        curve.add_predictions(probabilities)
        labels = pseudo_labels(features, probabilities)
        curve.add(changed_labels=float((labels != (probabilities.argmax(1) if before is None else before)).mean()))
        targets.assign(labels)
        curve.add(**descent.epoch(shuffled(len(images), BATCH, rng)))
        before = labels
        if on_step:
            on_step(epoch + 1, epochs)
    curve.add_predictions(_forward(both, images)[1])
    return Adapted(copy_of(model, working), curve.series(), perf_counter() - start)


def pseudo_labels(features: NDArray[np.float32], probabilities: NDArray[np.float32]) -> NDArray[np.int64]:
    """Compute pseudo-labels: the class with the nearest centroid by the cosine, after one round of refinement.

    Section 3.2 of the paper: the first centroids are means weighted by the probabilities, the second ones are means of
    the images nearest to the first.

    Parameters
    ----------
    features
        float32 (n, d).
    probabilities
        float32 (n, 10).

    Returns
    -------
    ndarray
        int64 (n,); a class to which no image is nearest is left out of the second round.
    """
    points = np.hstack([features, np.ones((len(features), 1))])  # float64, because cosines near 1 differ little
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    labels = _nearest(points, probabilities)
    return _nearest(points, np.eye(probabilities.shape[1])[labels])


def _nearest(points: NDArray[np.float64], membership: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return for each point the class of the nearest centroid by the cosine; membership (n, classes) weights means."""
    total = membership.sum(axis=0)
    present = np.flatnonzero(total > 0)
    centroids = (membership[:, present] / total[present]).T @ points
    centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    return present[(points @ centroids.T).argmax(axis=1)]


def _classifier(model: "keras.Model") -> Any:
    return next(layer for layer in reversed(model.layers) if layer.weights)


def _features_and_probabilities(model: "keras.Model") -> "keras.Model":
    import keras

    features = _classifier(model).input
    if len(features.shape) != 2:
        raise UsageError("its classifier does not take flat features")
    return keras.Model(model.inputs, [features, model.outputs[0]])


def _forward(both: "keras.Model", images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    batches = np.split(images, range(FORWARD_BATCH, len(images), FORWARD_BATCH))
    parts = [both.predict_on_batch(np.divide(batch[..., None], np.float32(255))) for batch in batches]
    features, probabilities = (np.concatenate(column).astype(np.float32) for column in zip(*parts, strict=True))
    return features, probabilities


SHOT = Adaptation(
    "shot",
    "SHOT",
    "all layers but the classifier, by information maximization and pseudo-labels from centroids in feature space",
    shot,
    {
        "epochs": EPOCHS,
        "batch": BATCH,
        "rate": RATE,
        "momentum": MOMENTUM,
        "weight_decay": WEIGHT_DECAY,
        "statistics_memory": STATISTICS_MEMORY,
        "pseudo_labels": PSEUDO_LABELS,
    },
    unit="epoch",
    priority=1,
    suite_networks=("light",),
)
