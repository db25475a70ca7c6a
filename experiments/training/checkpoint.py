"""What a training run leaves on disk after every epoch, so that it can go on after any kind of end."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from experiments.training.epoch import Epoch

if TYPE_CHECKING:
    import keras


# What reading raises for a file that is missing, empty, cut short or not ours. Lack of memory is not among them:
# a sound state must not be given up for it.
UNUSABLE = (FileNotFoundError, EOFError, BadZipFile, ValueError, KeyError, TypeError)


@dataclass(frozen=True)
class TrainingState:
    """Where a training stands: what it goes on from."""

    model: "keras.Model"
    best_weights: list[Any]
    epochs: tuple[Epoch, ...]


class Checkpoint:
    """The state of one training run in one folder.

    Each save writes new files through to the disk and then names them in ``state.json``, which is replaced in one
    step: whenever the process ends, the folder holds the state after a whole epoch.

    Parameters
    ----------
    folder
        Made when first saved to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._state = folder / "state.json"

    def save(self, model: "keras.Model", best_weights: Sequence[Any], epochs: Sequence[Epoch]) -> None:
        """Keep the model with its optimizer, the best epoch's weights and the record of all epochs."""
        import numpy as np

        self.folder.mkdir(parents=True, exist_ok=True)
        number = epochs[-1].number
        model_file, best_file = f"epoch-{number:04d}.keras", f"best-{number:04d}.npz"
        model.save(self.folder / model_file)
        np.savez(self.folder / best_file, *best_weights)
        state = {"model": model_file, "best": best_file, "epochs": [asdict(epoch) for epoch in epochs]}
        fresh = self.folder / "state.json.new"
        fresh.write_text(json.dumps(state))
        for file in (model_file, best_file, fresh.name):
            _flush(self.folder / file)
        fresh.replace(self._state)
        for old in [*self.folder.glob("epoch-*.keras"), *self.folder.glob("best-*.npz")]:
            if old.name not in (model_file, best_file):
                old.unlink()

    def restore(self) -> TrainingState | None:
        """Return the last saved state, or None when nothing usable was saved.

        Damaged files (after a power cut, for instance) count as none, because all that can be done about them is to
        train anew; the next save replaces them.
        """
        import keras
        import numpy as np

        import experiments.models.layers
        import experiments.training.averaging  # noqa: F401 - as layers, registers what loading may meet

        try:
            state = json.loads(self._state.read_text())
            epochs = tuple(Epoch(**epoch) for epoch in state["epochs"])
            # Given a path, NumPy leaves a damaged file open.
            with (self.folder / state["best"]).open("rb") as file, np.load(file) as arrays:
                best = [arrays[name] for name in arrays.files]
            return TrainingState(keras.models.load_model(self.folder / state["model"]), best, epochs)
        except UNUSABLE:
            return None


def _flush(file: Path) -> None:
    """Wait until a file is on the disk, for a power cut would otherwise leave its name without its content."""
    with file.open("rb+") as open_file:
        os.fsync(open_file.fileno())
