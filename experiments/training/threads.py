"""How much of the processor a training takes."""

from experiments.training.backends import DEFAULT, backend


def limit_threads(count: int) -> None:
    """Let TensorFlow use so many threads for one operation; to be called before its first.

    Several trainings beside each other would otherwise each take a thread for every core, and wait for one another.
    With other backends nothing is limited: JAX cannot be told, once it is imported.
    """
    if backend() != DEFAULT:
        return
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(count)
    tf.config.threading.set_inter_op_parallelism_threads(max(2, count))
