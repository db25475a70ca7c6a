"""Objectives without labels: from probabilities, tensors (b, 10), to float32 scalars."""

from typing import Any

LEAST = 1e-7  # added to probabilities before the logarithm


def mean_entropy(probabilities: Any) -> Any:
    """Compute the mean entropy of the predictions in nats: low if the network is confident."""
    import tensorflow as tf

    exact = tf.cast(probabilities, tf.float32)
    return -tf.reduce_mean(tf.reduce_sum(exact * tf.math.log(exact + LEAST), axis=1))


def diversity(probabilities: Any) -> Any:
    """Compute the entropy of the mean prediction in nats: high if all classes are predicted equally often."""
    import tensorflow as tf

    mean = tf.reduce_mean(tf.cast(probabilities, tf.float32), axis=0)
    return -tf.reduce_sum(mean * tf.math.log(mean + LEAST))


def cross_entropy(probabilities: Any, labels: Any) -> Any:
    """Compute the cross-entropy (b,) in nats with labels, tensor int64 (b,)."""
    import tensorflow as tf

    return -tf.math.log(tf.cast(tf.gather(probabilities, labels, batch_dims=1), tf.float32) + LEAST)
