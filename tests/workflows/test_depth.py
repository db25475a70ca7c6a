"""A command reaches Keras through few functions of this project."""

import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import keras
import pytest

from digits_cli.main import build_app
from experiments.errors import DigitsError
from experiments.workflows.suite.profiles import PROFILES, PlannedTraining, Profile

PROJECT = Path(__file__).resolve().parents[2]
PACKAGES = (PROJECT / "experiments", PROJECT / "digits_cli")
MOST = 6  # from the command to the function that calls Keras
TRAIN = "train mlp_small --dataset uci --batch-size 64 --limit 64"


@pytest.mark.usefixtures("trained", "no_figures")
@pytest.mark.parametrize(
    "words", [TRAIN, f"{TRAIN} --seeds 0,1", "run --profile quick", "analyze --model lenet --limit 100"]
)
def test_a_command_reaches_keras_through_few_functions(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    depths: list[int] = []

    def fit(*_: Any, **__: Any) -> NoReturn:
        called = [Path(frame.f_code.co_filename) for frame, _ in traceback.walk_stack(None)]
        depths.append(sum(any(file.is_relative_to(package) for package in PACKAGES) for file in called))
        raise DigitsError("this test trains nothing")

    small = Profile("quick", "one training", (PlannedTraining("mlp_small", "uci"),), {"batch_size": 64})
    monkeypatch.setitem(PROFILES, "quick", small)
    monkeypatch.setattr(keras.Model, "fit", fit)
    with suppress(DigitsError):
        build_app()(words.split(), prog_name="digits", standalone_mode=False)
    assert depths
    assert max(depths) <= MOST
