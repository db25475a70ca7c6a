"""Timed stages of long work, and a cache on disk so that no stage is computed twice."""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from experiments.execution.progress import Progress, ProgressCallback
from experiments.execution.resume import last_modified
from experiments.execution.versions import code_version

Arrays = Mapping[str, NDArray[Any]]
SECONDS = "seconds"
FOLDER = ".digits/features"  # one folder per dataset, in it one per network
KEPT_DAYS = 30  # without use


class Stages:
    """Reports and times the stages of one piece of work.

    Attributes
    ----------
    seconds
        Wall time of each finished stage, in order; for a cached stage, the time it took when it was computed.
    """

    def __init__(self, progress: Progress, name: str) -> None:
        self.seconds: dict[str, float] = {}
        self._progress, self._name = progress, name

    @contextmanager
    def __call__(self, stage: str) -> Iterator[ProgressCallback]:
        """Report and time a stage; yield the callback for its progress."""
        self._progress.stage(f"{self._name}: {stage}")
        start = perf_counter()
        yield self._progress.advance
        self.seconds[stage] = self.seconds.get(stage, 0.0) + perf_counter() - start


@dataclass(frozen=True)
class Cache:
    """Arrays of computed stages in a folder, which stands for what all of them depend on (network, data)."""

    folder: Path
    stages: Stages

    def get_or_compute(
        self, stage: str, parameters: Mapping[str, Any], compute: Callable[..., Any], *, progress: bool = True
    ) -> Arrays:
        """Return the arrays of a stage, from the cache if they were computed with the same parameters and code.

        Parameters
        ----------
        parameters
            JSON values: everything that the arrays depend on besides the folder and the code.
        compute
            Returns arrays by name, or a dataclass of arrays and numbers. The code that counts is that of this function;
            see `code_version`.
        progress
            Whether `compute` takes a progress callback.

        Returns
        -------
        dict
            The arrays, and under ``seconds`` the time that computing them took.
        """
        file = self.folder / f"{stage.replace(' ', '-')}-{digest(parameters, compute)}.npz"
        arrays = _read(file)
        with self.stages(stage) as on_progress:
            if arrays is None:
                start = perf_counter()
                computed = compute(on_progress) if progress else compute()
                values = computed if isinstance(computed, Mapping) else vars(computed)
                arrays = {name: np.asarray(array) for name, array in values.items()}
                arrays[SECONDS] = np.asarray(perf_counter() - start)
                _write(file, arrays)
            else:
                self.folder.touch()
        self.stages.seconds[stage] = float(arrays[SECONDS])
        return arrays


def discard_unused(place: Path) -> None:
    """Delete the caches of networks and data that were not used for `KEPT_DAYS`: features are large."""
    oldest = time.time() - KEPT_DAYS * 86_400
    # Check all of them before deleting any: deleting a folder changes the modification time of its parent.
    unused = [folder for folder in (*place.glob("*/*/"), *place.glob("*/")) if last_modified(folder) < oldest]
    for folder in unused:
        shutil.rmtree(folder, ignore_errors=True)


def digest(parameters: Mapping[str, Any], *functions: Callable[..., Any]) -> str:
    """Compute 8 hexadecimal digits that stand for parameters and the code of functions."""
    text = json.dumps([code_version(*functions), dict(parameters)], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _read(file: Path) -> dict[str, NDArray[Any]] | None:
    """Return the arrays of a file, or None if it is missing or damaged."""
    try:
        with file.open("rb") as opened, np.load(opened) as arrays:
            return dict(arrays)
    except (FileNotFoundError, BadZipFile, ValueError, EOFError, KeyError):
        return None


def _write(file: Path, arrays: Arrays) -> None:
    """Write a file atomically."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".new", delete=False) as fresh:
        np.savez(fresh, allow_pickle=False, **arrays)
        fresh.flush()
        os.fsync(fresh.fileno())
    Path(fresh.name).replace(file)
