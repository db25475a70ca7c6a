from pathlib import Path
from typing import Any

import keras
import pytest
import tensorflow as tf

from experiments import processes
from experiments.models import MODELS, Precision
from experiments.training import resolve_precision
from experiments.training.fit import compiled_model
from experiments.training.precision import precision_policy

XEON = "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu sse2 avx2 avx512f {} hypervisor\nbugs\t\t: spectre\n"


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return the list of the machine's GPUs as TensorFlow describes them, none, for a test to fill."""
    found: list[dict[str, Any]] = []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _kind=None: found)
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: gpu)
    return found


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [
        (XEON.format("avx512_bf16"), "bfloat16"),
        (XEON.format("amx_bf16 amx_tile"), "bfloat16"),
        (XEON.format("avx512_fp16"), "float32"),
        ("note\t\t: no avx512_bf16\n" + XEON.format(""), "float32"),
        ("processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd\n", "float32"),
        ("", "float32"),
    ],
)
def test_auto_is_bfloat16_where_the_processor_has_it(
    cpuinfo: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text(cpuinfo)
    monkeypatch.setattr(processes, "CPUINFO", tmp_path / "cpuinfo")
    assert resolve_precision("auto") == expected


@pytest.mark.usefixtures("gpus")
def test_auto_is_float32_where_the_system_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "CPUINFO", tmp_path / "absent")
    assert resolve_precision("auto") == "float32"


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ([(8, 0)], "bfloat16"),
        ([(9, 0), (8, 6)], "bfloat16"),
        ([(7, 5)], "float32"),
        ([(9, 0), (7, 0)], "float32"),
        ([None], "float32"),
    ],
)
def test_where_there_are_gpus_the_least_of_them_decides(
    capabilities: list[tuple[int, int] | None],
    expected: str,
    gpus: list[dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "cpuinfo").write_text(XEON.format("avx512_bf16"))
    monkeypatch.setattr(processes, "CPUINFO", tmp_path / "cpuinfo")
    gpus += [{"compute_capability": capability} if capability else {} for capability in capabilities]
    assert resolve_precision("auto") == expected


@pytest.mark.parametrize("requested", ["float32", "bfloat16"])
def test_what_is_asked_for_by_name_is_taken(requested: Precision) -> None:
    assert resolve_precision(requested) == requested


@pytest.mark.parametrize(("requested", "policy"), [("float32", "float32"), ("bfloat16", "mixed_bfloat16")])
def test_a_network_is_built_in_the_recipe_s_precision(requested: Precision, policy: str) -> None:
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
