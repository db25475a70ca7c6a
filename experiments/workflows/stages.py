"""The stages of a long piece of work: told as they begin, timed, and kept so that none is done twice."""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from experiments.workflows.listener import Listener
from experiments.workflows.sources import code_digest
from experiments.workflows.unfinished import last_written

Arrays = Mapping[str, NDArray[Any]]
Heard = Callable[[int, int], None]
CODE = tuple(f"experiments.{part}" for part in ("datasets", "models", "training", "evaluation", "analysis", "transfer"))
SECONDS = "seconds"
FOLDER = ".digits/features"  # a folder for each data set, in it one for each network
KEPT_DAYS = 30  # after which what nobody used is deleted


class Stages:
    """Tells, times and keeps stages.

    Attributes
    ----------
    seconds
        Wall time of each stage that is over, in their order; of one that was kept, that in which it was done.
    """

    def __init__(self, listener: Listener, name: str) -> None:
        self.seconds: dict[str, float] = {}
        self._listener, self._name = listener, name

    @contextmanager
    def __call__(self, stage: str) -> Iterator[Heard]:
        """Begin a stage; yield what hears how much of it is done."""
        self._listener.stage(f"{self._name}: {stage}")
        start = perf_counter()
        yield self._listener.advance
        self.seconds[stage] = self.seconds.get(stage, 0.0) + perf_counter() - start

    def kept(self, stage: str, folder: Path, parameters: Mapping[str, Any], make: Callable[[Heard], Arrays]) -> Arrays:
        """Do a stage, or take what it made before with the same parameters from a folder.

        Parameters
        ----------
        parameters
            JSON values: all that the arrays depend on beside what the folder stands for.
        make
            Called with what hears how much is done; returns arrays by name.
        """
        file = folder / f"{stage.replace(' ', '-')}-{digest(parameters)}.npz"
        arrays = _read(file)
        with self(stage) as heard:
            if arrays is None:
                start = perf_counter()
                made = make(heard)
                arrays = {**made, SECONDS: np.asarray(perf_counter() - start)}
                _write(file, arrays)
            else:
                folder.touch()
        self.seconds[stage] = float(arrays[SECONDS])
        return arrays


def discard_unused(place: Path) -> None:
    """Delete what was kept for networks and data that nobody used for `KEPT_DAYS`: features are large."""
    oldest = time.time() - KEPT_DAYS * 86_400
    # All are judged before any is deleted: a folder is written to when what lies in it is deleted.
    unused = [folder for folder in (*place.glob("*/*/"), *place.glob("*/")) if last_written(folder) < oldest]
    for folder in unused:
        shutil.rmtree(folder, ignore_errors=True)


def digest(parameters: Mapping[str, Any]) -> str:
    """Return eight hexadecimal digits that stand for parameters and for the code that computes results."""
    text = json.dumps([code_digest(CODE), dict(parameters)], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _read(file: Path) -> dict[str, NDArray[Any]] | None:
    """Return the arrays of a file, or None where it is missing or damaged."""
    try:
        with file.open("rb") as opened, np.load(opened) as arrays:
            return dict(arrays)
    except (FileNotFoundError, BadZipFile, ValueError, EOFError, KeyError):
        return None


def _write(file: Path, arrays: Arrays) -> None:
    """Write a file as a whole or not at all, whoever else writes it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".new", delete=False) as fresh:
        np.savez(fresh, allow_pickle=False, **arrays)
        fresh.flush()
        os.fsync(fresh.fileno())
    Path(fresh.name).replace(file)
