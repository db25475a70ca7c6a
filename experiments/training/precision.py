"""Which arithmetic to train in."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from experiments.models import Precision
from experiments.processes import processor_info
from experiments.training.backends import gpu_capabilities

CPU_FLAGS = ("amx_bf16", "avx512_bf16")
GPU_CAPABILITY = (8, 0)  # NVIDIA Ampere, the first with bfloat16


def resolve_precision(requested: Precision) -> Literal["float32", "bfloat16"]:
    """Return the precision to train in.

    Parameters
    ----------
    requested
        ``auto`` becomes ``bfloat16`` where the device has instructions for it: a processor with AMX or AVX512-BF16,
        or GPUs of compute capability 8.0 and later; ``float32`` elsewhere. The others are returned as they are.
    """
    if requested != "auto":
        return requested
    capabilities = gpu_capabilities()
    fits = all(c >= GPU_CAPABILITY for c in capabilities) if capabilities else _cpu_has_bfloat16()
    return "bfloat16" if fits else "float32"


@contextmanager
def precision_policy(precision: Literal["float32", "bfloat16"]) -> Iterator[None]:
    """Build layers under Keras's policy for `precision`, and put the former policy back afterwards."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if precision == "bfloat16" else "float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _cpu_has_bfloat16() -> bool:
    """Return whether the processor's flags, which Linux lists, include instructions for bfloat16."""
    flags = next(processor_info("flags"), "").split()
    return any(flag in flags for flag in CPU_FLAGS)
