"""Work that other processes of this machine do: what comes back, however it ends."""

import re
import signal
import time
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import psutil
import pytest
from pieces_of_work import (
    PATIENCE,
    add,
    die,
    die_while_answering,
    fail,
    fail_in_two_parts,
    leave,
    sleep,
    threads,
    unpicklable,
)

from experiments.errors import DigitsError, UsageError
from experiments.execution import executors
from experiments.execution.executors import ExecutorConfig, Finished, ProcessExecutor
from experiments.processes import usable_cores


def all_ended(executor: ProcessExecutor, count: int = 1) -> dict[str, Finished]:
    found: dict[str, Finished] = {}
    deadline = time.monotonic() + PATIENCE
    while len(found) < count:
        assert time.monotonic() < deadline
        found |= {ended.name: ended for ended in executor.wait(1)}
    return found


def sleeper(executor: ProcessExecutor, file: Path, *arguments: Any) -> psutil.Process:
    """Start a piece of work that takes for ever, and return its process once it sleeps."""
    executor.submit(file.name, sleep, file, *arguments)
    deadline = time.monotonic() + PATIENCE
    while not file.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return psutil.Process(int(file.read_text()))


ERRORS = {"usage": UsageError("no such thing"), "key": KeyError("k"), "disk": OSError(28, "No space left")}
DEATHS = {
    "killed": (signal.SIGKILL, "ended by signal 9 (out of memory?)"),
    "segmentation fault": (signal.SIGSEGV, "ended by signal 11"),
    "exit": (-3, "ended with exit code 3"),
}


@pytest.fixture(scope="module")
def ended() -> dict[str, Finished]:
    """Return how all kinds of work end, done side by side."""
    with ProcessExecutor(1) as executor:
        executor.submit("result", add, 1, 2)
        executor.submit("another result", add, b=20, a=10)
        with pytest.raises((AttributeError, TypeError), match=r"pickle .*lambda"):
            executor.submit("work that cannot be sent", lambda: None)
        assert executor.running() == 2
        for name, error in ERRORS.items():
            executor.submit(name, fail, error)
        for name, (how, _) in DEATHS.items():
            executor.submit(name, die, int(how))
        executor.submit("leave", leave, 7)
        executor.submit("result that cannot be sent", unpicklable)
        executor.submit("error that cannot be made anew", fail_in_two_parts)
        found = all_ended(executor, executor.running())
        assert (executor.running(), executor.wait(0)) == (0, [])
    return found


def test_results_come_back_by_name(ended: dict[str, Finished]) -> None:
    assert ended["result"] == Finished("result", 3)
    assert ended["another result"] == Finished("another result", 30)
    assert len(ended) == 11


@pytest.mark.parametrize("name", ERRORS)
def test_an_exception_comes_back_as_what_it_was_with_where_it_was_raised(name: str, ended: dict[str, Finished]) -> None:
    error = ended[name].error
    assert (type(error), ended[name].crash) == (type(ERRORS[name]), None)
    assert error is not None
    assert error.args == ERRORS[name].args
    assert "in fail" in "".join(error.__notes__)


@pytest.mark.parametrize("name", DEATHS)
def test_a_death_is_told_with_the_last_words(name: str, ended: dict[str, Finished]) -> None:
    assert ended[name] == Finished(name, crash=f"{DEATHS[name][1]}; famous; last words")


def test_work_that_ends_its_process_is_no_result(ended: dict[str, Finished]) -> None:
    assert ended["leave"] == Finished("leave", crash="ended with exit code 7")


def test_what_cannot_be_sent_is_told(ended: dict[str, Finished]) -> None:
    assert re.search("^ended with exit code 1; .*pickle", str(ended["result that cannot be sent"].crash))
    assert "no luck: at all" in str(ended["error that cannot be made anew"].error)


def test_a_process_that_is_killed_halfway_through_its_answer_has_crashed() -> None:
    with ProcessExecutor(1) as executor:
        executor.submit("a", die_while_answering)
        deadline = time.monotonic() + PATIENCE
        while active_children():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert str(all_ended(executor)["a"].crash).startswith("ended by signal 9")


def test_waiting_takes_as_long_as_asked_where_nothing_ends(tmp_path: Path) -> None:
    with ProcessExecutor(1) as executor:
        for running in (0, 1):
            start = time.monotonic()
            assert executor.wait(0.2) == []
            assert time.monotonic() - start >= 0.2
            assert executor.running() == running
            if not running:
                process = sleeper(executor, tmp_path / "asleep")
    # What is running is stopped on leaving.
    assert not process.is_running()
    assert (tmp_path / "asleep.stopped").exists()


def test_what_does_not_stop_is_killed_on_leaving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "STOP_SECONDS", 0.1)
    with pytest.raises(DigitsError, match="enough"), ProcessExecutor(1) as executor:  # noqa: PT012 - it is left by it
        process = sleeper(executor, tmp_path / "asleep", True)
        raise DigitsError("enough")
    assert not process.is_running()
    assert not (tmp_path / "asleep.stopped").exists()


@pytest.mark.slow
def test_several_share_the_cores() -> None:
    with ExecutorConfig(2).open() as two:
        assert isinstance(two, ProcessExecutor)
        two.submit("a", threads)
        assert all_ended(two)["a"].result == max(1, usable_cores() // 2)


@pytest.mark.parametrize("given", [{"workers": 0}, {"cpus": -1}, {"gpus": -0.5}])
def test_a_place_without_room_is_refused(given: dict[str, Any]) -> None:
    ((name, value),) = given.items()
    with pytest.raises(UsageError, match=rf"{name} must .* received {value}$"):
        ExecutorConfig(**given)
