"""Files that runs record, and figures that take no time."""

from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from mlflow.artifacts import load_text

from experiments.tracking import Store


def text(store: Store, run_id: str, file: str) -> str:
    return str(load_text(f"{store.client.get_run(run_id).info.artifact_uri}/{file}"))


def files(store: Store, run_id: str) -> set[str]:
    """Return the paths of all files of a run."""
    folder = Path(unquote(urlparse(store.client.get_run(run_id).info.artifact_uri).path))
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def draw_nothing(patch: pytest.MonkeyPatch) -> None:
    """Record empty pictures in place of figures; the data of the figures is recorded as ever."""
    from matplotlib.figure import Figure

    patch.setattr("experiments.reporting.drawing.Drawing.draw", lambda _: Figure(figsize=(0.2, 0.2)))
