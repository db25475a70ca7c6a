"""The library that Keras computes with: TensorFlow, or what `KERAS_BACKEND` names."""

import os
import re
from importlib.util import find_spec

from experiments.errors import UsageError, unknown

VARIABLE = "KERAS_BACKEND"
DEFAULT = "tensorflow"
PACKAGES = {"tensorflow": ("tensorflow",), "jax": ("jax", "jaxlib"), "torch": ("torch",)}


def backend() -> str:
    """Return the name of the backend: ``tensorflow``, ``jax`` or ``torch``.

    It is read from the environment alone, so that it is known without importing Keras, which takes seconds.

    Raises
    ------
    UsageError
        For another one, or one that is not installed.
    """
    name = os.environ.get(VARIABLE) or DEFAULT
    if name not in PACKAGES:
        raise unknown("Keras backend", name, PACKAGES)
    if find_spec(name) is None:
        raise UsageError(f"{VARIABLE} is {name}, which is not installed; install it, or set another")
    return name


def backend_packages() -> tuple[str, ...]:
    """Return the installed packages that a network's numbers come from: Keras and its backend."""
    return ("keras", *PACKAGES[backend()])


def require_tensorflow(what: str) -> None:
    """Refuse what only TensorFlow does here.

    Raises
    ------
    UsageError
        Where the backend is another one; `what` is the subject of its line.
    """
    if backend() != DEFAULT:
        raise UsageError(f"{what} needs TensorFlow; unset {VARIABLE}, which is {backend()}")


def gpu_capabilities() -> list[tuple[int, int]]:
    """Return the compute capability, such as (8, 0), of each NVIDIA GPU that the backend uses; of others, (0, 0)."""
    return {"tensorflow": _of_tensorflow, "jax": _of_jax, "torch": _of_torch}[backend()]()


def _of_tensorflow() -> list[tuple[int, int]]:
    import tensorflow as tf

    devices = tf.config.list_physical_devices("GPU")
    return [tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0)) for gpu in devices]


def _of_jax() -> list[tuple[int, int]]:
    import jax

    devices = [device for device in jax.devices() if device.platform == "gpu"]
    return [_version(str(getattr(device, "compute_capability", ""))) for device in devices]


def _of_torch() -> list[tuple[int, int]]:
    import torch

    return [torch.cuda.get_device_capability(number) for number in range(torch.cuda.device_count())]


def _version(text: str) -> tuple[int, int]:
    """Return two numbers with a dot between them; (0, 0) for another text, as AMD's GPUs have."""
    found = re.fullmatch(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)
