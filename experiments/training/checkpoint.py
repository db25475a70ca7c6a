"""What a training run leaves on disk after every epoch, so that it can go on after any kind of end."""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.training.epoch import Epoch

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Resumed:
    """The state a run continues from."""

    model: "keras.Model"
    best_weights: list[Any]
    epochs: tuple[Epoch, ...]


class Checkpoint:
    """The state of one training run in one folder.

    Each save writes new files and then names them in ``state.json``, which is replaced in one step: whenever the
    process ends, the folder holds the state after a whole epoch.

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
        os.replace(fresh, self._state)  # noqa: PTH105 - the atomic call by its own name
        for old in [*self.folder.glob("epoch-*.keras"), *self.folder.glob("best-*.npz")]:
            if old.name not in (model_file, best_file):
                old.unlink()

    def restore(self) -> Resumed | None:
        """Return the last saved state, or None when nothing usable was saved."""
        import keras
        import numpy as np

        import experiments.models.layers  # noqa: F401 - registers the layers that loading may meet

        if not self._state.exists():
            return None
        state = json.loads(self._state.read_text())
        with np.load(self.folder / state["best"]) as arrays:
            best = [arrays[name] for name in arrays.files]
        model = keras.models.load_model(self.folder / state["model"])
        return Resumed(model, best, tuple(Epoch(**epoch) for epoch in state["epochs"]))

    def clear(self) -> None:
        """Remove the folder and all in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
