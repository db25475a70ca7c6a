from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_fits import CONVOLUTIONAL, RANDOM, assert_same_weights, uci

from experiments.training import Checkpoint, Epoch
from experiments.training.checkpoint import TrainingState
from experiments.training.fit import compiled_model

EPOCHS = [Epoch(number, 1 / number, 0.1 * number, 2 / number, 0.2 * number, 1e-3, 1.5) for number in range(1, 4)]


@pytest.fixture(scope="module")
def model() -> Any:
    """Return a network after two steps, so that its optimizer has a state."""
    model = compiled_model(CONVOLUTIONAL, RANDOM, steps=9)
    train, _ = uci()
    for start in (0, 60):
        batch = train.take(range(start, start + 60))
        model.train_on_batch(batch.as_float(), np.eye(10)[batch.labels])
    return model


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    return Checkpoint(tmp_path / "deep" / "checkpoint")


def best_weights(seed: int) -> list[Any]:
    """Return more arrays than have one digit, each of its own shape."""
    generator = np.random.default_rng(seed)
    return [generator.random((n, 2), np.float32) for n in range(1, 15)]


def files(checkpoint: Checkpoint) -> list[str]:
    return sorted(file.name for file in checkpoint.folder.iterdir())


def state_after(number: int, checkpoint: Checkpoint) -> TrainingState:
    """Return what is restored: the state after epoch `number`, its best weights those of the same number."""
    restored = checkpoint.restore()
    assert restored
    assert restored.epochs == tuple(EPOCHS[:number])
    assert_same_weights(restored.best_weights, best_weights(number))
    return restored


def test_what_was_saved_is_restored(model: Any, checkpoint: Checkpoint) -> None:
    checkpoint.save(model, best_weights(2), EPOCHS[:2])
    restored = state_after(2, checkpoint)
    assert_same_weights(restored.model.get_weights(), model.get_weights())
    ours, theirs = ([np.array(value) for value in m.optimizer.variables] for m in (restored.model, model))
    assert_same_weights(ours, theirs)
    assert ours[0] == 2
    assert restored.model.optimizer.get_config() == model.optimizer.get_config()
    assert restored.model.loss.get_config() == model.loss.get_config()
    images = uci()[1].as_float()
    np.testing.assert_array_equal(restored.model.predict_on_batch(images), model.predict_on_batch(images))


def test_where_nothing_was_saved_there_is_nothing_to_restore(checkpoint: Checkpoint) -> None:
    assert checkpoint.restore() is None
    checkpoint.folder.mkdir(parents=True)
    assert checkpoint.restore() is None


def dies(*_: Any) -> None:
    raise KeyboardInterrupt


def dies_half_way(file: Path, *_: Any) -> None:
    Path(file).write_bytes(b"PK\x03\x04 half of what was to be written")
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("death", "left"),
    [
        ((keras.Model, "save", lambda _, file: dies_half_way(file)), 1),
        ((np, "savez", dies_half_way), 1),
        ((Path, "write_text", lambda file, _: dies_half_way(file)), 1),
        ((Path, "replace", dies), 1),
        ((Path, "unlink", dies), 2),
    ],
    ids=["model", "best weights", "state", "naming the state", "clearing up"],
)
def test_a_save_that_dies_leaves_a_whole_state(
    death: Any, left: int, model: Any, checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint.save(model, best_weights(1), EPOCHS[:1])
    with monkeypatch.context() as patch:
        patch.setattr(*death)
        with pytest.raises(KeyboardInterrupt):
            checkpoint.save(model, best_weights(2), EPOCHS[:2])
    state_after(left, checkpoint)
    checkpoint.save(model, best_weights(3), EPOCHS)
    state_after(3, checkpoint)
    assert len(files(checkpoint)) == 3


FILES = ["state.json", "epoch-0002.keras", "best-0002.npz"]


@pytest.fixture(scope="module")
def saved(model: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    checkpoint = Checkpoint(tmp_path_factory.mktemp("saved"))
    checkpoint.save(model, best_weights(2), EPOCHS[:2])
    assert files(checkpoint) == sorted(FILES)
    return {name: (checkpoint.folder / name).read_bytes() for name in FILES}


def write(saved: Mapping[str, bytes], folder: Path, name: str, content: bytes | None) -> Checkpoint:
    """Return a checkpoint one of whose files has another content, or is missing."""
    for file, sound in saved.items():
        (folder / file).write_bytes(sound)
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    return Checkpoint(folder)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *((name, None) for name in FILES),
        *(("state.json", content) for content in (b"", b"{}", b"[]", b"null", b"\xff\xfe")),
        ("state.json", b'{"model": 1, "best": 2, "epochs": []}'),
        ("state.json", b'{"epochs": [{"number": 1}]}'),
    ],
)
def test_a_state_with_a_missing_or_damaged_file_counts_as_none(
    name: str, content: bytes | None, saved: dict[str, bytes], tmp_path: Path
) -> None:
    assert write(saved, tmp_path, name, content).restore() is None
    assert write(saved, tmp_path, name, saved[name]).restore() is not None


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(FILES), share=st.floats(0, 1, exclude_max=True))
def test_a_file_cut_short_counts_as_none(name: str, share: float, saved: dict[str, bytes], tmp_path: Path) -> None:
    cut = saved[name][: int(share * len(saved[name]))]
    assert write(saved, tmp_path, name, cut).restore() is None
