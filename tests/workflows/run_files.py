"""Files that runs record, and figures that take no time."""

from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from mlflow.artifacts import load_text

from experiments.tracking import Store


def text(store: Store, run_id: str, file: str) -> str:
    return str(load_text(f"{store.client.get_run(run_id).info.artifact_uri}/{file}"))


def artifacts(store: Store, run_id: str) -> Path:
    """Return the folder of a run's artifacts."""
    return Path(unquote(urlparse(store.client.get_run(run_id).info.artifact_uri).path))


def files_in(folder: Path) -> set[str]:
    """Return the paths of all files in a folder, relative to it."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def files(store: Store, run_id: str) -> set[str]:
    """Return the paths of all files of a run."""
    return files_in(artifacts(store, run_id))


def draw_nothing(patch: pytest.MonkeyPatch) -> None:
    """Record empty pictures in place of figures; the data of the figures is recorded as ever."""
    from matplotlib.figure import Figure

    patch.setattr("experiments.reporting.drawing.Drawing.draw", lambda _: Figure(figsize=(0.2, 0.2)))
