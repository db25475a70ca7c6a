"""Functions of this project that are active when a command calls Keras's `fit`."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import keras
import pytest

from digits_cli.main import app
from experiments.errors import DigitsError

PROJECT = Path(__file__).resolve().parents[2]
PACKAGES = (PROJECT / "experiments", PROJECT / "digits_cli")
MOST = 6  # from the command to the function that calls Keras


def chains_to_fit(monkeypatch: pytest.MonkeyPatch, *words: str) -> list[list[str]]:
    """Run a command in which each call of `keras.Model.fit` fails, and return the chain of functions at each call.

    A chain has the functions of this project only, as ``MODULE.NAME``, from the command's function in `digits_cli` to
    the one that calls Keras.
    """
    chains: list[list[str]] = []

    def fit(*_: Any, **__: Any) -> NoReturn:
        chains.append([*_functions(sys._getframe(1))][::-1])
        raise DigitsError("this test trains nothing")

    monkeypatch.setattr(keras.Model, "fit", fit)
    with suppress(DigitsError):
        app([*words], prog_name="digits", standalone_mode=False)
    return chains


def _functions(frame: FrameType | None) -> Iterator[str]:
    while frame is not None:
        file = Path(frame.f_code.co_filename)
        if any(file.is_relative_to(package) for package in PACKAGES):
            yield f"{file.stem}.{frame.f_code.co_qualname}"
        frame = frame.f_back
