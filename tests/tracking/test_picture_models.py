"""The model of a run that takes encoded pictures."""

import subprocess
import sys
from pathlib import Path

import mlflow
import pytest
from known_networks import halves
from picture_writer import put, stroke

from experiments.tracking import Store, open_run
from experiments.tracking.picture_models import log_picture_model

PROGRAM = """
import base64, json, sys
import mlflow, pandas as pd

model = mlflow.pyfunc.load_model(sys.argv[1])
frame = pd.DataFrame({"picture": [open(name, "rb").read() for name in sys.argv[2:]]})
print(json.dumps(model.predict(frame)))
print(*{"tensorflow", "keras", "sklearn"} & {*sys.modules})
import experiments
print(experiments.__file__)
"""


@pytest.mark.slow
def test_it_reads_pictures_without_keras_and_without_this_project(store: Store, tmp_path: Path) -> None:
    import json

    with open_run(store, "train", "halves") as run:
        model_id = log_picture_model(run, halves())
        assert log_picture_model(run, halves()) == model_id
    put(tmp_path / "seven.png", stroke(thickness=10))
    (tmp_path / "text.png").write_text("no picture")
    names = [str(tmp_path / name) for name in ("seven.png", "text.png")]
    shown = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM, f"runs:/{run.id}/pictures", *names],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    read, heavy, package = shown.stdout.splitlines()
    seven, text = json.loads(read)
    assert (seven["digit"], seven["is_digit"], seven["error"]) == (1, True, None)
    assert (text["digit"], text["is_digit"]) == (None, False)
    assert "picture" in text["error"]
    assert heavy == ""
    assert "/code/" in package


def test_its_input_is_a_binary_column(store: Store) -> None:
    with open_run(store, "train", "halves") as run:
        log_picture_model(run, halves())
    info = mlflow.models.get_model_info(f"runs:/{run.id}/pictures")
    assert info.signature.inputs.to_dict() == [{"type": "binary", "name": "picture", "required": True}]
    assert [model.name for model in store.client.search_logged_models([store.experiment_id])] == ["pictures"]
    assert store.client.get_run(run.id).outputs.model_outputs == []
