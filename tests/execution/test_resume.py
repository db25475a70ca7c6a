"""Notes of interrupted work."""

import contextlib
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from experiments.errors import DigitsError
from experiments.execution.resume import last_modified, resume_state
from experiments.tracking import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store that is never connected to."""
    return Store(uri="sqlite:///none.db", experiment_id="1", experiment="digits", root=tmp_path)


def interrupt(store: Store, identity: dict[str, object]) -> None:
    with contextlib.suppress(KeyboardInterrupt), resume_state(store, "train lenet", identity) as saved:
        saved.save("run", "abc")
        raise KeyboardInterrupt


def test_notes_of_each_work_stay_when_it_is_interrupted_until_it_is_done(store: Store) -> None:
    interrupt(store, {"seed": 1})
    for work, identity in (("train lenet", {"seed": 2}), ("train cnn", {"seed": 1})):
        with resume_state(store, work, identity) as saved:
            assert saved.load("run") is None
    with resume_state(store, "train lenet", {"seed": 1}) as saved:
        assert saved.load("run") == "abc"
    assert list(saved.folder.parent.iterdir()) == []
    with resume_state(store, "train lenet", {"seed": 1}) as saved:
        assert saved.load("run") is None


def test_two_processes_do_not_do_the_same_work(store: Store) -> None:
    code = f"""
from pathlib import Path
from experiments.tracking import Store
from experiments.execution.resume import resume_state
with resume_state(Store("sqlite:///none.db", "1", "digits", Path({str(store.root)!r})), "train lenet", {{}}):
    print("working", flush=True)
    input()
"""
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert other.stdout.readline() == "working\n"
        with pytest.raises(DigitsError, match="train lenet"):
            resume_state(store, "train lenet", {}).__enter__()
        other.communicate("\n")
    with resume_state(store, "train lenet", {}) as saved:
        assert saved.folder.is_dir()


def test_work_that_nobody_went_on_with_is_given_up_after_a_while(store: Store) -> None:
    interrupt(store, {"seed": 1})
    interrupt(store, {"seed": 2})
    old, _ = sorted((store.root / ".digits" / "unfinished").glob("*/run.json"))
    for path in (old, old.parent):
        os.utime(path, (time.time() - 31 * 86_400,) * 2)
    with resume_state(store, "train cnn", {}):
        pass
    assert not old.parent.exists()
    assert len(list((store.root / ".digits" / "unfinished").glob("*/run.json"))) == 1


def test_work_may_begin_while_other_work_takes_notes(store: Store) -> None:
    with resume_state(store, "train lenet", {}) as saved, ThreadPoolExecutor(1) as other:

        def take_notes() -> None:
            for number in range(500):
                saved.save("run", number)

        busy = other.submit(take_notes)
        while not busy.done():
            assert last_modified(saved.folder) > time.time() - 60
            with resume_state(store, "train cnn", {}):
                pass
        busy.result()
