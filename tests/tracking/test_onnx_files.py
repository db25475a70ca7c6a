"""Networks as ONNX in the store: logged with every training, exported once for those that were logged without."""

from pathlib import Path

import keras
import numpy as np
import onnx
import pytest

from experiments.models import MODELS
from experiments.tracking import Store, log_model, open_run, resolve_reference
from experiments.tracking.references import onnx_file

NETWORK = MODELS["mlp_small"]
IMAGE = np.zeros((1, 28, 28, 1), np.float32)


def logged(store: Store) -> str:
    """Log an untrained network; return a reference to it."""
    with open_run(store, "train", NETWORK.name) as run:
        log_model(run, NETWORK.build(NETWORK.recipe), "uci-mlp_small", {"model": NETWORK.name}, IMAGE)
    return f"runs:/{run.id}"


def outputs(file: Path) -> list[str]:
    return [output.name for output in onnx.load(file).graph.output]


def test_a_network_is_logged_as_onnx_too(store: Store) -> None:
    file = onnx_file(store, resolve_reference(store, logged(store)))
    assert outputs(file) == ["logits", "features"]
    assert not (store.root / ".digits" / "onnx").exists()


def test_a_network_that_was_logged_without_is_exported_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = resolve_reference(store, logged(store))
    onnx_file(store, reference).unlink()
    file = onnx_file(store, reference)
    assert outputs(file) == ["logits", "features"]
    monkeypatch.setattr("experiments.tracking.references.to_onnx", None)
    assert onnx_file(store, reference) == file
    assert list(file.parent.iterdir()) == [file]


def test_a_bare_file_is_exported_and_again_when_it_has_changed(store: Store, tmp_path: Path) -> None:
    file, exported = tmp_path / "mine.keras", []
    for seed in (0, 1):
        keras.utils.set_random_seed(seed)
        NETWORK.build(NETWORK.recipe).save(file)
        exported.append(onnx_file(store, resolve_reference(store, str(file))))
    assert exported[0] != exported[1]
    assert [outputs(one) for one in exported] == [["logits", "features"]] * 2
