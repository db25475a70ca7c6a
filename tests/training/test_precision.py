from pathlib import Path

import keras
import pytest
import tensorflow as tf

from experiments import processes
from experiments.models import MODELS, Precision
from experiments.training import resolve_precision
from experiments.training.fit import compiled_model
from experiments.training.precision import precision_policy

XEON = "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu sse2 avx2 avx512f {} hypervisor\nbugs\t\t: spectre\n"


@pytest.mark.parametrize(
    ("cpuinfo", "capabilities", "expected"),
    [
        (XEON.format("avx512_bf16"), [], "bfloat16"),
        (XEON.format("amx_bf16 amx_tile"), [], "bfloat16"),
        (XEON.format("avx512_fp16"), [], "float32"),
        ("note\t\t: no avx512_bf16\n" + XEON.format(""), [], "float32"),
        ("processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd\n", [], "float32"),
        ("", [], "float32"),
        (None, [], "float32"),
        # Where there are GPUs the least of them decides.
        (XEON.format(""), [(8, 0)], "bfloat16"),
        (XEON.format(""), [(9, 0), (8, 6)], "bfloat16"),
        (XEON.format("avx512_bf16"), [(7, 5)], "float32"),
        (XEON.format("avx512_bf16"), [(9, 0), (7, 0)], "float32"),
        (XEON.format("avx512_bf16"), [None], "float32"),
    ],
)
def test_auto_is_bfloat16_where_the_gpus_or_else_the_processor_have_it(
    cpuinfo: str | None,
    capabilities: list[tuple[int, int] | None],
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if cpuinfo is not None:
        (tmp_path / "cpuinfo").write_text(cpuinfo)
    gpus = [{"compute_capability": capability} if capability else {} for capability in capabilities]
    monkeypatch.setattr(processes, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _kind=None: gpus)
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: gpu)
    assert resolve_precision("auto") == expected


@pytest.mark.parametrize(("requested", "policy"), [("float32", "float32"), ("bfloat16", "mixed_bfloat16")])
def test_a_network_is_built_in_the_recipe_s_precision(requested: Precision, policy: str) -> None:
    assert resolve_precision(requested) == requested
    before = keras.config.dtype_policy().name
    network = MODELS["mlp_small"]
    model = compiled_model(network, network.recipe.override({"precision": requested}), steps=1)
    assert model.get_layer("penultimate").dtype_policy.name == policy
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert keras.config.dtype_policy().name == before


def test_the_former_policy_returns_after_an_error() -> None:
    with precision_policy("bfloat16"):
        with pytest.raises(ZeroDivisionError), precision_policy("float32"):
            _ = 1 / 0
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    assert keras.config.dtype_policy().name == "float32"
