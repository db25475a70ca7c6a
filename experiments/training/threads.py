"""How much of the processor a training takes."""


def limit_threads(count: int) -> None:
    """Let TensorFlow use so many threads for one operation; to be called before its first.

    Several trainings beside each other would otherwise each take a thread for every core, and wait for one another.
    """
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(count)
    tf.config.threading.set_inter_op_parallelism_threads(max(2, count))
