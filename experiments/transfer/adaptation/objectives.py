"""What is descended where there are no labels, from probabilities: tensors (b, 10) to scalars, in float32."""

from typing import Any

LEAST = 1e-7  # below which a probability is not distinguished from 0


def mean_entropy(probabilities: Any) -> Any:
    """Return the mean entropy of each digit's prediction, in nats: low where the network is sure."""
    import tensorflow as tf

    exact = tf.cast(probabilities, tf.float32)
    return -tf.reduce_mean(tf.reduce_sum(exact * tf.math.log(exact + LEAST), axis=1))


def diversity(probabilities: Any) -> Any:
    """Return the entropy of the mean prediction, in nats: high where all classes are predicted equally often."""
    import tensorflow as tf

    mean = tf.reduce_mean(tf.cast(probabilities, tf.float32), axis=0)
    return -tf.reduce_sum(mean * tf.math.log(mean + LEAST))


def cross_entropy(probabilities: Any, labels: Any) -> Any:
    """Return the cross-entropy (b,) with labels, tensor int64 (b,), in nats."""
    import tensorflow as tf

    return -tf.math.log(tf.cast(tf.gather(probabilities, labels, batch_dims=1), tf.float32) + LEAST)
