"""Lets a test hold the trials of a search midway: Python imports this module at its start where `PYTHONPATH` says so.

A trial waits after its first epoch as long as the folder ``held`` is beside the tracking store's database, unless it
takes one of the files ``held/pass*``. Where there is ``untrained``, trials train nothing.
"""

import os
import sys
import time
from collections.abc import Callable
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

TRIALS = "experiments.workflows.tune.trials"


class _Holder:
    """Replaces the `fit` of trials as their module is imported."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name == TRIALS else None
        if spec and spec.loader:
            spec.loader.exec_module = _holding(spec.loader.exec_module)  # type: ignore[assignment,method-assign]
        return spec


def _holding(execute: Callable[[Any], None]) -> Callable[[Any], None]:
    def execute_and_hold(module: Any) -> None:
        execute(module)
        folder = Path(os.environ["MLFLOW_TRACKING_URI"].removeprefix("sqlite:///")).parent
        fit = module.fit
        if (folder / "untrained").exists():
            from fake_fit import FakeFit

            from experiments.training import threads

            fit = FakeFit(build=False)
            module.release_memory = threads.limit_threads = lambda *_: None  # both would import TensorFlow

        def held_fit(*arguments: Any, on_epoch: Callable[[Any], None], **named: Any) -> Any:
            def listen(epoch: Any) -> None:
                on_epoch(epoch)
                while epoch.number == 1 and (folder / "held").exists() and not _passed(folder / "held"):
                    time.sleep(0.05)

            return fit(*arguments, on_epoch=listen, **named)

        module.fit = held_fit

    return execute_and_hold


def _passed(folder: Path) -> bool:
    for file in folder.glob("pass*"):
        try:
            file.unlink()
        except FileNotFoundError:  # another trial took it
            continue
        return True
    return False


sys.meta_path.insert(0, _Holder)
