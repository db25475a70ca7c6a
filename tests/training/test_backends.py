"""Which library Keras computes with, and that another one than TensorFlow trains as well."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

from digits_cli.main import main
from experiments.errors import UsageError
from experiments.training import backend, backend_packages, require_tensorflow
from experiments.training.backends import gpu_capabilities

HERE = Path(__file__).parent
RESUMED = "test_fit_resumed.py::test_interrupted_within_an_epoch_it_repeats_that_epoch"
WARPS = ("a_warp_is_scipy_s_affine_transform_for_every_image_its_own", "shifts_are_uniform_shares_of_height_and_width")
CONTRACT = ("test_pipeline.py", *(f"test_augmentation.py::test_{name}" for name in WARPS), RESUMED)


@pytest.mark.parametrize("value", [None, "", "tensorflow"])
def test_it_is_tensorflow_unless_the_environment_names_another(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    if value is not None:
        monkeypatch.setenv("KERAS_BACKEND", value)
    assert backend() == "tensorflow"
    assert backend_packages() == ("keras", "tensorflow")
    require_tensorflow("nothing")


@pytest.mark.parametrize(
    ("name", "there", "expected"),
    [("jacks", True, r"'jacks'.*jax\?.*tensorflow, jax, torch"), ("torch", False, "KERAS_BACKEND is torch")],
)
def test_one_that_there_is_not_or_that_is_not_installed_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, there: bool, expected: str
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", name)
    monkeypatch.setattr("experiments.training.backends.find_spec", lambda _: object() if there else None)
    with pytest.raises(UsageError, match=expected):
        backend()


def test_what_only_tensorflow_does_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setattr("experiments.training.backends.find_spec", lambda _: object())
    assert backend_packages() == ("keras", "jax", "jaxlib")
    with pytest.raises(UsageError, match=r"adapting \(tent\) .*KERAS_BACKEND.* jax"):
        require_tensorflow("adapting (tent)")


@pytest.mark.parametrize(
    ("devices", "expected"),
    [
        ([("gpu", "9.0"), ("gpu", "8.6"), ("cpu", "")], [(9, 0), (8, 6)]),
        ([("gpu", "gfx90a")], [(0, 0)]),
        ([("cpu", "")], []),
    ],
)
def test_gpus_of_jax_are_told_by_their_capability(
    devices: list[tuple[str, str]], expected: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [SimpleNamespace(platform=platform, compute_capability=version) for platform, version in devices]
    monkeypatch.setitem(sys.modules, "jax", SimpleNamespace(devices=lambda: found))
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setattr("experiments.training.backends.find_spec", lambda _: object())
    assert gpu_capabilities() == expected


@pytest.mark.slow
@pytest.mark.skipif(find_spec("jax") is None, reason="needs JAX: pip install jax")
def test_the_fit_keeps_its_contract_with_jax() -> None:
    """Batches, warps, and the fit's resumption to the last bit, tested as with TensorFlow."""
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *(str(HERE / f) for f in CONTRACT)],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        cwd=HERE.parents[1],
        capture_output=True,
        text=True,
        timeout=550,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-3000:]


TRAIN = "train lenet --dataset uci --epochs 2 --batch-size 32 --precision float32 --json"
EVALUATE = "evaluate --model models:/uci-lenet/1 --dataset uci --json"
# One process for both commands: importing JAX takes seconds.
PROGRAM = """
import sys
from contextlib import suppress
from digits_cli.main import main
for words in sys.argv[1:]:
    with suppress(SystemExit):
        main(words.split())
"""


@pytest.mark.slow
@pytest.mark.usefixtures("store_folder")
@pytest.mark.skipif(find_spec("jax") is None, reason="needs JAX: pip install jax")
def test_what_jax_trains_both_measure_alike(capfd: pytest.CaptureFixture[str]) -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, TRAIN, EVALUATE],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert "arning" not in run.stderr
    with pytest.raises(SystemExit):
        main(EVALUATE.split())
    (by_jax,), (by_tensorflow,) = (
        json.loads(printed.splitlines()[-1])["models"].values() for printed in (run.stdout, capfd.readouterr().out)
    )
    assert by_jax["accuracy"] == by_tensorflow["accuracy"] > 0.5
    assert by_jax["loss"] == pytest.approx(by_tensorflow["loss"], abs=1e-4)
