"""Memory that trainings leave behind."""

import gc

from experiments.training.backends import DEFAULT, backend

CUSTOM = "CustomGradient-"


def release_memory() -> None:
    """Let go of what Keras and TensorFlow keep of networks that are no longer used.

    Keras's optimizers sum gradients over replicas even where there is one, through an operation whose gradient
    TensorFlow registers anew for each graph that it traces. The registry, which is private and never emptied, holds the
    graph with its constants: several megabytes for each network that was trained. A graph that is traced later
    registers its own.
    """
    import keras

    if backend() == DEFAULT:
        _forget_gradients()
    keras.backend.clear_session()
    gc.collect()


def _forget_gradients() -> None:
    from tensorflow.python.framework.ops import gradient_registry

    for name in [name for name in gradient_registry.list() if name.startswith(CUSTOM)]:
        del gradient_registry._registry[name]
