"""Work that other processes of this machine do: what comes back, however it ends."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from experiments.errors import DigitsError, UsageError
from experiments.execution import executors
from experiments.execution.executors import ExecutorConfig, Finished, ProcessExecutor
from experiments.processes import usable_cores

pytestmark = pytest.mark.slow

PATIENCE = 60  # seconds: new processes take their time on a busy machine


class TwoPartError(Exception):
    """An exception that cannot be made from its text alone."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what}: {why}")


def add(a: int, b: int) -> int:
    return a + b


def fail(error: Exception) -> None:
    raise error


def fail_in_two_parts() -> None:
    raise TwoPartError("no luck", "at all")


def die(how: int) -> None:
    """End by a signal, or by the exit code -`how` without any clearing up."""
    sys.stderr.write("famous\n\n   last words  \n")
    sys.stderr.flush()
    if how > 0:
        os.kill(os.getpid(), how)
    os._exit(-how)


def leave(code: int) -> None:
    sys.exit(code)


def unpicklable() -> Callable[[], None]:
    return lambda: None


def large() -> bytes:
    return bytes(50_000_000)


def threads() -> int:
    import tensorflow as tf

    return int(tf.config.threading.get_intra_op_parallelism_threads())


def sleep(file: Path, stubborn: bool = False) -> None:
    """Say who sleeps, and leave a note when told to stop, unless it is stubborn."""
    if stubborn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    fresh = file.with_suffix(".new")
    fresh.write_text(str(os.getpid()))
    fresh.rename(file)
    try:
        time.sleep(600)
    finally:
        file.with_suffix(".stopped").touch()


@pytest.fixture
def executor() -> Iterator[ProcessExecutor]:
    with ProcessExecutor(1) as opened:
        yield opened


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


def test_results_come_back_by_name_as_they_are_ready(executor: ProcessExecutor) -> None:
    executor.submit("a", add, 1, 2)
    executor.submit("b", add, 10, 20)
    assert executor.running() == 2
    assert all_ended(executor, 2) == {"a": Finished("a", 3), "b": Finished("b", 30)}
    assert executor.running() == 0
    assert executor.wait(0) == []


def test_waiting_without_tasks_takes_as_long_as_asked(executor: ProcessExecutor) -> None:
    start = time.monotonic()
    assert executor.wait(0.5) == []
    assert 0.4 < time.monotonic() - start < 0.9


def test_waiting_for_work_that_goes_on_ends_in_time(executor: ProcessExecutor, tmp_path: Path) -> None:
    sleeper(executor, tmp_path / "asleep")
    start = time.monotonic()
    assert executor.wait(0.5) == []
    assert 0.4 < time.monotonic() - start < 5
    assert executor.running() == 1


@pytest.mark.parametrize("error", [UsageError("no such thing"), KeyError("k"), OSError(28, "No space left")], ids=repr)
def test_an_exception_comes_back_as_what_it_was_with_where_it_was_raised(
    executor: ProcessExecutor, error: Exception
) -> None:
    executor.submit("a", fail, error)
    ended = all_ended(executor)["a"]
    assert ended.crash is None
    assert type(ended.error) is type(error)
    assert ended.error.args == error.args
    assert "in fail" in "".join(ended.error.__notes__)


@pytest.mark.parametrize(
    ("how", "epitaph"),
    [
        (signal.SIGKILL, "ended by signal 9 (out of memory?)"),
        (signal.SIGSEGV, "ended by signal 11"),
        (-3, "ended with exit code 3"),
    ],
)
def test_a_death_is_told_with_the_last_words(executor: ProcessExecutor, how: int, epitaph: str) -> None:
    executor.submit("a", die, int(how))
    assert all_ended(executor)["a"] == Finished("a", crash=f"{epitaph}; famous; last words")


def test_work_that_ends_its_process_is_no_result(executor: ProcessExecutor) -> None:
    executor.submit("a", leave, 7)
    assert all_ended(executor)["a"] == Finished("a", crash="ended with exit code 7")


def test_a_result_that_cannot_be_sent_is_told(executor: ProcessExecutor) -> None:
    executor.submit("a", unpicklable)
    crash = all_ended(executor)["a"].crash
    assert crash is not None
    assert "ended with exit code 1; " in crash
    assert "pickle" in crash


def test_work_that_cannot_be_sent_is_refused_and_the_others_go_on(executor: ProcessExecutor) -> None:
    executor.submit("a", add, 1, 2)
    with pytest.raises((AttributeError, TypeError), match=r"pickle .*lambda"):
        executor.submit("b", lambda: None)
    assert executor.running() == 1
    assert all_ended(executor) == {"a": Finished("a", 3)}


def test_an_exception_that_cannot_be_made_anew_is_told(executor: ProcessExecutor) -> None:
    executor.submit("a", fail_in_two_parts)
    ended = all_ended(executor)["a"]
    assert "no luck: at all" in f"{ended.error} {ended.crash}"


def test_a_process_that_is_killed_halfway_through_its_answer_has_crash(executor: ProcessExecutor) -> None:
    executor.submit("a", large)
    (process, answer, _) = executor._processes["a"]
    assert answer.poll(PATIENCE)
    time.sleep(0.5)  # the pipe is full now
    os.kill(process.pid, signal.SIGKILL)
    crash = all_ended(executor)["a"].crash
    assert crash is not None
    assert crash.startswith("ended by signal 9")


def test_what_is_running_is_stopped_on_leaving(tmp_path: Path) -> None:
    with ProcessExecutor(1) as executor:
        process = sleeper(executor, tmp_path / "asleep")
    assert not process.is_running()
    assert (tmp_path / "asleep.stopped").exists()


def test_what_does_not_stop_is_killed_on_leaving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "STOP_SECONDS", 1)
    with pytest.raises(DigitsError, match="enough"), ProcessExecutor(1) as executor:  # noqa: PT012 - it is left by it
        process = sleeper(executor, tmp_path / "asleep", True)
        raise DigitsError("enough")
    assert not process.is_running()
    assert not (tmp_path / "asleep.stopped").exists()


def test_several_share_the_cores() -> None:
    with ProcessExecutor(2) as two:
        assert two.capacity == 2
        two.submit("a", threads)
        assert all_ended(two)["a"].result == max(1, usable_cores() // 2)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"workers": 0}, "workers must be at least 1, received 0"),
        ({"cpus": -1}, "worker-cpus must be at least 0, received -1"),
        ({"gpus": -0.5}, "worker-gpus must be at least 0, received -0.5"),
    ],
)
def test_a_place_without_room_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        ExecutorConfig(**given)
    assert str(caught.value) == message


def test_a_place_on_this_machine_has_as_many_workers_as_asked_for() -> None:
    opened = ExecutorConfig(3).open()
    assert isinstance(opened, ProcessExecutor)
    assert opened.capacity == 3
